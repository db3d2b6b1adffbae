// A list that is asked for again and again stays as somebody left it: what is open, and where the focus is.

interface Left {
  open: string[];
  focus: string;
}

/** How to find again what has the focus: a button by where its form goes, a link by its address. */
function place(active: Element | null, list: Element): string {
  if (!active || !list.contains(active)) return "";
  const form = active.closest("form")?.getAttribute("action");
  if (form) return `form[action="${CSS.escape(form)}"] button`;
  const address = active.getAttribute("href");
  if (address) return `a[href="${CSS.escape(address)}"]`;
  const box = active.closest("details")?.id;
  return box ? `#${CSS.escape(box)} > summary` : "";
}

export function left(list: Element): Left {
  const open = Array.from(list.querySelectorAll("details[open][id]"), (box) => box.id);
  return { open, focus: place(document.activeElement, list) };
}

export function restored(list: Element, { open, focus }: Left): void {
  for (const box of list.querySelectorAll<HTMLDetailsElement>("details[id]")) if (open.includes(box.id)) box.open = true;
  if (focus) list.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true });
}

/** The same for what htmx puts in the place of the element `id`. */
export function steady(id: string): void {
  let before: Left | null = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const target = (event as CustomEvent<{ target?: Element }>).detail.target;
    before = target?.id === id ? left(target) : null;
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    const list = document.getElementById(id);
    if (before && list) restored(list, before);
    before = null;
  });
}
