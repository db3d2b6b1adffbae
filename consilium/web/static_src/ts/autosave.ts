import { csrfToken, fresh } from "./http";

const PAUSE_MS = 1500;
const RETRY_MS = 5000;

/** Send the form a moment after the last change and say when it was kept; try again when that failed. */
export function autosave(root: ParentNode): void {
  for (const form of fresh<HTMLFormElement>(root, "form[data-autosave]", "data-autosaving")) new Autosave(form);
}

class Autosave {
  private timer = 0;
  private sent = "";
  private running = false;

  constructor(private readonly form: HTMLFormElement) {
    this.sent = this.snapshot();
    form.addEventListener("input", () => this.later(PAUSE_MS));
    form.addEventListener("change", () => this.later(PAUSE_MS));
    form.addEventListener("submit", () => window.clearTimeout(this.timer));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && this.snapshot() !== this.sent) this.onLeaving();
    });
    window.addEventListener("online", () => this.later(0));
  }

  private data(): FormData {
    const data = new FormData(this.form);
    for (const [name, value] of Array.from(data.entries())) if (value instanceof File) data.delete(name);
    return data;
  }

  private snapshot(): string {
    return JSON.stringify(Array.from(this.data().entries()));
  }

  private later(wait: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), wait);
  }

  private async save(): Promise<void> {
    const now = this.snapshot();
    if (now === this.sent) return;
    if (this.running) return this.later(PAUSE_MS);
    this.running = true;
    try {
      const answer = await fetch(this.form.dataset["autosave"] ?? "", this.request());
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      this.adopt(answer.headers.get("X-Saved"));
      this.sent = this.snapshot();
      this.form.dispatchEvent(new CustomEvent("consilium:saved"));
      const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      this.say("autosaveSaved", "Saved %s", time, false);
    } catch {
      this.say("autosaveFailed", "Not saved – retrying", "", true);
      this.later(RETRY_MS);
    } finally {
      this.running = false;
    }
  }

  /** The server counts versions; the next request names the one it started from. */
  private adopt(version: string | null): void {
    const field = this.form.querySelector<HTMLInputElement>("input[name=saved]");
    if (field && version) field.value = version;
  }

  private request(): RequestInit {
    const headers = { "X-CSRFToken": csrfToken(), "X-Requested-With": "autosave" };
    return { method: "POST", body: this.data(), headers, credentials: "same-origin", redirect: "follow" };
  }

  /** The page is going away: hand the last words to the browser, which finishes the request on its own. */
  private onLeaving(): void {
    void fetch(this.form.dataset["autosave"] ?? "", { ...this.request(), keepalive: true }).catch(() => undefined);
  }

  private say(key: string, fallback: string, time: string, failed: boolean): void {
    const state = this.form.querySelector<HTMLElement>("[data-autosave-state]");
    if (!state) return;
    state.textContent = (document.body.dataset[key] ?? fallback).replace("%s", time);
    state.classList.toggle("is-failed", failed);
  }
}
