import { Estimate, bytes, filled, number, percent } from "./amounts";
import { announce } from "./http";
import type { Load, Sending, State } from "./sending";

const SHOWN = 300; // files listed under a bundle
const SAID = 25; // percent between two words for people who listen

export interface Hooks {
  changed: () => void;
  arrived: () => void;
  gone: () => void;
}

/** One thing being sent, as the page shows it: name, amount, what is wrong, and what one can do. */
export class Row {
  sending!: Sending;
  private readonly element = make("li", "upload__item");
  private readonly state = make("p", "upload__state");
  private readonly bar = make("progress", "");
  private readonly buttons = make("div", "upload__buttons");
  private readonly files = make("details", "upload__files");
  private readonly estimate = new Estimate();
  private listed: { bar: HTMLProgressElement; start: number; end: number }[] = [];
  private before: State | "" = "";
  private said = 0;

  constructor(private readonly texts: DOMStringMap, private readonly load: Load, private readonly hooks: Hooks) {}

  show(sending: Sending, list: HTMLElement): void {
    this.sending = sending;
    const name = make("p", "upload__name");
    name.textContent = this.load.title;
    this.bar.max = 100;
    this.bar.setAttribute("aria-label", this.load.title);
    this.element.append(name, this.buttons, this.bar, this.state);
    if (this.load.parts.length) this.addFiles();
    list.append(this.element);
    list.hidden = false;
    this.said = percent(sending.sent, sending.size);
    this.news();
  }

  remove(): void {
    const list = this.element.parentElement;
    this.element.remove();
    if (list) list.hidden = !list.children.length;
  }

  /** It stays, until the page is opened again, to say that all of it is there. */
  arrived(): void {
    this.bar.remove();
    this.buttons.remove();
    const mark = document.querySelector(".dropzone > .icon")?.cloneNode(true) as Element | undefined;
    const use = mark?.querySelector("use");
    if (!mark || !use) return;
    mark.setAttribute("class", "icon");
    use.setAttribute("href", use.getAttribute("href")!.replace(/#.*/, "#check"));
    this.state.prepend(mark, " ");
  }

  news(): void {
    const { state, sent, size } = this.sending;
    this.bar.value = percent(sent, size);
    this.state.textContent = this.sentence();
    if (state !== this.before) this.turned(state);
    this.before = state;
    if (this.files.open) this.fillFiles();
    if (state === "sending" && percent(sent, size) >= this.said + SAID) {
      this.said = percent(sent, size);
      announce(`${this.load.title}: ${this.said} %`);
    }
    this.hooks.changed();
  }

  // --- words ---

  private sentence(): string {
    const { state, sent, size } = this.sending;
    const gaps = { sent: bytes(sent), all: bytes(size), percent: percent(sent, size) };
    if (state === "failed") return this.failure();
    const first = filled(this.text(KEYS[state]), gaps);
    if (state !== "sending") return first;
    return [first, this.left(), this.current()].filter(Boolean).join(" · ");
  }

  private left(): string {
    const { sent, size } = this.sending;
    const minutes = this.estimate.minutes(sent, size - sent);
    if (minutes === null) return "";
    if (minutes < 1) return this.text("Soon");
    if (minutes < 90) return filled(this.text("Minutes"), { n: number(Math.ceil(minutes)) });
    return filled(this.text("Hours"), { n: number(Math.ceil(minutes / 60)) });
  }

  /** Which file of a bundle is on its way. */
  private current(): string {
    const { parts } = this.load;
    const at = parts.findIndex((part) => part.end > this.sending.sent);
    if (at < 0) return "";
    return filled(this.text("File"), { n: number(at + 1), count: number(parts.length) });
  }

  private failure(): string {
    const { status, unreadable } = this.sending;
    if (unreadable) return this.text("Unreadable");
    const keys: Record<number, string> = { 403: "Refused", 404: "Unknown", 410: "Unknown", 413: "Large", 507: "Full" };
    return this.text(keys[status] ?? "Failed");
  }

  private text(key: string): string {
    return this.texts[`text${key}`] ?? "";
  }

  // --- turns ---

  private turned(state: State): void {
    this.element.className = `upload__item is-${state}`;
    const spoken = state === "offline" || state === "failed" || state === "paused" || this.before === "offline";
    if (spoken) announce(`${this.load.title}: ${this.state.textContent}`);
    if (state === "done") this.hooks.arrived();
    this.drawButtons(state);
  }

  private drawButtons(state: State): void {
    const had = this.buttons.contains(document.activeElement);
    const drawn: HTMLButtonElement[] = [];
    if (state === "sending" || state === "offline" || state === "broken") {
      drawn.push(this.button("Pause", () => this.sending.pause()));
    }
    if (state === "paused" || (state === "failed" && !this.sending.unreadable)) {
      drawn.push(this.button(state === "paused" ? "Resume" : "Retry", () => this.sending.start()));
    }
    if (state !== "done") drawn.push(this.button("Cancel", () => this.ask()));
    this.buttons.replaceChildren(...drawn);
    if (had) drawn[0]?.focus();
  }

  /** Nothing that has arrived is thrown away by a slip. */
  private ask(): void {
    const words = make("span", "upload__question");
    words.textContent = this.text("Sure");
    words.id = `sure-${Math.random().toString(36).slice(2)}`;
    const no = this.button("No", () => {
      this.drawButtons(this.sending.state);
      this.buttons.querySelector<HTMLElement>("button:last-of-type")?.focus();
    });
    const yes = this.button("Yes", () => void this.sending.discard().then(() => this.hooks.gone()));
    no.setAttribute("aria-describedby", words.id);
    this.buttons.replaceChildren(words, yes, no);
    no.focus();
  }

  private button(key: string, act: () => void): HTMLButtonElement {
    const made = make("button", "button button--quiet button--small");
    made.type = "button";
    made.textContent = this.text(key);
    made.setAttribute("aria-label", `${this.text(key)}: ${this.load.title}`);
    made.addEventListener("click", act);
    return made;
  }

  // --- the files of a bundle ---

  private addFiles(): void {
    const summary = make("summary", "");
    summary.textContent = filled(this.text("Files"), { count: number(this.load.parts.length) });
    this.files.append(summary);
    this.files.addEventListener("toggle", () => this.files.open && this.fillFiles());
    this.element.append(this.files);
  }

  /** Drawn when somebody looks: a disc holds thousands. */
  private fillFiles(): void {
    if (!this.listed.length) this.drawFiles();
    for (const one of this.listed) {
      const sent = Math.min(Math.max(this.sending.sent - one.start, 0), one.end - one.start);
      one.bar.value = one.end > one.start ? percent(sent, one.end - one.start) : this.sending.sent >= one.end ? 100 : 0;
    }
  }

  private drawFiles(): void {
    const list = make("ul", "plain-list");
    for (const part of this.load.parts.slice(0, SHOWN)) {
      const item = make("li", "upload__file");
      const name = make("span", "break");
      name.textContent = part.name;
      const size = make("span", "muted small");
      size.textContent = bytes(part.end - part.start);
      const bar = make("progress", "");
      bar.max = 100;
      bar.setAttribute("aria-label", part.name);
      item.append(name, size, bar);
      list.append(item);
      this.listed.push({ bar, start: part.start, end: part.end });
    }
    const more = this.load.parts.length - SHOWN;
    if (more > 0) {
      const item = make("li", "muted");
      item.textContent = filled(this.text("More"), { count: number(more) });
      list.append(item);
    }
    this.files.append(list);
  }
}

const KEYS: Record<Exclude<State, "failed">, string> = {
  waiting: "Waiting",
  sending: "Amount",
  paused: "Paused",
  offline: "Offline",
  broken: "Broken",
  done: "Arrived",
};

function make<T extends keyof HTMLElementTagNameMap>(tag: T, name: string): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}
