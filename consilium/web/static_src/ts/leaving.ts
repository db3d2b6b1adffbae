import { fresh } from "./http";

/** Ask before leaving a form whose changes were neither sent nor saved. */
export function confirmLeaving(root: ParentNode): void {
  for (const form of fresh<HTMLFormElement>(root, "form[data-guard-unsaved]", "data-guarded")) {
    let changed = false;
    form.addEventListener("input", () => (changed = true));
    form.addEventListener("submit", () => (changed = false));
    form.addEventListener("consilium:saved", () => (changed = false));
    window.addEventListener("beforeunload", (event) => {
      if (changed && form.isConnected) event.preventDefault();
    });
  }
}
