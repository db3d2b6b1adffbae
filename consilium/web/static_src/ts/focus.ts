import { fresh } from "./http";

/** The error summary (or whatever asks for it) gets focus when the page opens; its links focus the fields. */
export function takeFocus(root: ParentNode): void {
  focusFirst(root.querySelector<HTMLElement>("[data-take-focus]"));
  for (const link of root.querySelectorAll<HTMLAnchorElement>(".error-summary a[href^='#']")) {
    link.addEventListener("click", (event) => {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (!target) return;
      event.preventDefault();
      const field = target.closest<HTMLElement>(".field") ?? target;
      field.scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
    });
  }
}

/** A form sent after the skip link was used comes back at `#main`, and the browser would then move the focus there. */
function focusFirst(wanted: HTMLElement | null): void {
  if (!wanted) return;
  if (location.hash) {
    history.replaceState(history.state, "", location.pathname + location.search);
    window.addEventListener("load", () => requestAnimationFrame(() => wanted.focus()));
  }
  wanted.focus();
}

/** Menus made of <details> close with Escape and when somebody clicks elsewhere. */
export function closeMenus(root: Document): void {
  const menus = root.querySelectorAll<HTMLDetailsElement>("details.account-menu");
  root.addEventListener("click", (event) => {
    for (const menu of menus) if (menu.open && !menu.contains(event.target as Node)) menu.open = false;
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (!menu.open) continue;
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

/** A filter sends its form as soon as a choice is made; the button beside it stays for everybody else. */
export function submitOnChange(root: ParentNode): void {
  for (const select of fresh<HTMLSelectElement>(root, "select[data-submit-on-change]", "data-submitting")) {
    select.addEventListener("change", () => select.form?.requestSubmit());
  }
}
