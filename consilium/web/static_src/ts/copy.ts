import { announce, fresh } from "./http";

/** Copy the value or text of the element that `data-copy` names; shown only where the browser can. */
export function copyButtons(root: ParentNode): void {
  if (!navigator.clipboard) return;
  for (const button of fresh<HTMLButtonElement>(root, "button[data-copy]", "data-copying")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const source = document.getElementById(button.dataset["copy"] ?? "");
  if (!source) return;
  const text = source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement ? source.value : source.textContent;
  const label = button.querySelector("span");
  const before = label?.textContent ?? "";
  try {
    await navigator.clipboard.writeText((text ?? "").trim());
  } catch {
    if (source instanceof HTMLInputElement) source.select();
    return;
  }
  const done = button.dataset["copied"] ?? "";
  announce(done);
  if (!label) return;
  label.textContent = done;
  window.setTimeout(() => (label.textContent = before), 2500);
}
