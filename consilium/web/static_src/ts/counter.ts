import { fresh } from "./http";

/** Characters left under a text area; the sentence is read out after a pause, not at every key. */
export function counters(root: ParentNode): void {
  for (const area of fresh<HTMLTextAreaElement>(root, "[data-counter]", "data-counting")) {
    const limit = Number(area.dataset["counter"]);
    const note = document.getElementById(`${area.id}_counter`);
    if (!note || !limit) continue;
    let timer = 0;
    const update = (): void => {
      const left = limit - Array.from(area.value.replace(/\n/g, "\r\n")).length;
      const text = (left < 0 ? note.dataset["counterOver"] : note.dataset["counterText"]) ?? "%s";
      note.textContent = text.replace("%s", String(Math.abs(left)));
      note.classList.toggle("is-over", left < 0);
      window.clearTimeout(timer);
      timer = window.setTimeout(() => note.setAttribute("aria-live", left < 50 ? "polite" : "off"), 800);
    };
    area.addEventListener("input", update);
    update();
  }
}
