/** The CSRF token of this page; the cookie itself cannot be read by scripts. */
export function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  const field = document.querySelector<HTMLInputElement>('input[name="csrfmiddlewaretoken"]');
  return meta?.content || field?.value || "";
}

/** Say something to people who listen to the page instead of looking at it. */
export function announce(sentence: string): void {
  const region = document.querySelector("[data-live-region]");
  if (region) region.textContent = sentence;
}

/** Elements that were not set up yet: a module may run again over the same content. */
export function* fresh<T extends Element>(root: ParentNode, selector: string, mark: string): Generator<T> {
  const found = Array.from(root.querySelectorAll<T>(selector));
  if (root instanceof Element && root.matches(selector)) found.unshift(root as unknown as T);
  for (const element of found) {
    if (element.hasAttribute(mark)) continue;
    element.setAttribute(mark, "");
    yield element;
  }
}

/** A translated sentence that the page carries in <body data-text-…> or the element itself. */
export function words(element: HTMLElement, key: string, fallback: string): string {
  return element.dataset[key] ?? document.body.dataset[key] ?? fallback;
}
