// The upload pages of a case: files go by tus and go on after any break, also on another day. Its own entry, because
// only these pages need the tus client. Without it the form sends as forms do.
import { type Choice, fromDrop, fromInput } from "./chosen";
import { announce, fresh } from "./http";
import { Row } from "./resumable_row";
import { type Load, Sending } from "./sending";
import { left, restored, steady } from "./steady";
import { type Chosen, fingerprint, ordered, pack } from "./tar";
import { bytes, filled, percent } from "./amounts";

const ALONE = 8; // so many single files are sent one by one; more are packed together
const KEEP_ALIVE = 4 * 60_000;

/** Everything that is sent from one page: one thing at a time, in the order of choosing. */
class Queue {
  private readonly rows: Row[] = [];
  private lastSign = Date.now();

  constructor(readonly root: HTMLElement) {
    window.addEventListener("beforeunload", (event) => {
      if (this.rows.some((row) => row.sending.active)) event.preventDefault();
    });
  }

  add(row: Row): void {
    this.rows.push(row);
    this.next();
  }

  /** News of one of them: the next may start, the total moves, and whoever was working is still there. */
  news(row: Row): void {
    if (row.sending.state === "sending" && Date.now() - this.lastSign > KEEP_ALIVE) this.sign();
    this.total();
    this.next();
  }

  drop(row: Row): void {
    this.rows.splice(this.rows.indexOf(row), 1);
    this.total();
    this.next();
  }

  private next(): void {
    if (this.rows.some((row) => row.sending.active)) return;
    this.rows.find((row) => row.sending.state === "waiting")?.sending.start();
  }

  private total(): void {
    const box = this.root.querySelector<HTMLElement>("[data-upload-total]");
    if (!box) return;
    const all = this.rows.reduce((sum, row) => sum + row.sending.size, 0);
    const sent = this.rows.reduce((sum, row) => sum + row.sending.sent, 0);
    box.hidden = this.rows.length < 2;
    box.querySelector("progress")!.value = percent(sent, all);
    const gaps = { sent: bytes(sent), all: bytes(all), percent: percent(sent, all) };
    box.querySelector("p")!.textContent = filled(this.root.dataset["textTotal"] ?? "", gaps);
  }

  /** Sending is being there: neither the session nor the warning beside it may run out meanwhile. */
  private sign(): void {
    this.lastSign = Date.now();
    void fetch(this.root.dataset["tusAlive"] ?? "/", { method: "HEAD", credentials: "same-origin" });
    document.body.dispatchEvent(new CustomEvent("consilium:uploaded"));
  }
}

class Form {
  private readonly list: HTMLElement;
  private readonly queue: Queue;

  constructor(private readonly form: HTMLFormElement) {
    this.list = form.querySelector<HTMLElement>("[data-upload-list]")!;
    this.queue = new Queue(form);
    form.querySelector<HTMLElement>("[data-upload-submit]")!.hidden = true;
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const input of form.querySelectorAll<HTMLInputElement>("input[type=file]")) this.setUpInput(input);
    this.setUpDrop(form.querySelector<HTMLElement>("[data-dropzone]")!);
  }

  private setUpInput(input: HTMLInputElement): void {
    const box = input.closest<HTMLElement>("[data-upload-folder]");
    if (box && "webkitdirectory" in input) box.hidden = false;
    input.addEventListener("change", () => void this.take(fromInput(input)));
  }

  private setUpDrop(zone: HTMLElement): void {
    const over = (on: boolean) => (event: DragEvent): void => {
      event.preventDefault();
      zone.classList.toggle("is-over", on);
    };
    zone.addEventListener("dragenter", over(true));
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      this.say("Looking");
      void fromDrop(event.dataTransfer).then((choice) => this.take(choice));
    });
  }

  /** Few files go one by one, a folder or many files as one bundle. */
  private async take({ files, folder }: Choice): Promise<void> {
    this.say("");
    if (!files.length) return folder ? this.say("Nothing") : undefined;
    if (folder || files.length > ALONE) return this.send(await bundled(files, this.form.dataset["textBundle"] ?? ""));
    for (const one of files) await this.send(await single(one));
  }

  private async send(load: Load): Promise<void> {
    const open = load.fingerprint ? known(load) : null;
    const endpoint = new URL(this.form.dataset["tus"]!, location.href).href;
    const address = open ? new URL(open.dataset["transfer"]!, location.href).href : "";
    const row: Row = new Row(this.form.dataset, load, {
      changed: () => this.queue.news(row),
      arrived: () => void this.arrived(row),
      gone: () => this.gone(row),
    });
    const sending = new Sending(load, endpoint, address, Number(open?.dataset["offset"] ?? 0), () => row.news());
    row.show(sending, this.list);
    if (open) gone(open);
    announce(filled(this.form.dataset[open ? "textResumed" : "textBegun"] ?? "", this.gaps(sending)));
    this.queue.add(row);
  }

  private gaps(sending: Sending): Record<string, string | number> {
    return { name: sending.load.title, percent: percent(sending.sent, sending.size) };
  }

  /** All of it is there: the page's own list says what becomes of it. */
  private async arrived(row: Row): Promise<void> {
    announce(`${row.sending.load.title}: ${this.form.dataset["textArrived"] ?? ""}`);
    document.body.dispatchEvent(new CustomEvent("consilium:uploaded"));
    row.arrived();
    await refreshed(this.form.dataset["tusAfter"] ?? "", this.form.dataset["uploadTarget"] ?? "");
    this.queue.drop(row);
  }

  private gone(row: Row): void {
    row.remove();
    this.queue.drop(row);
    announce(`${row.sending.load.title}: ${this.form.dataset["textDiscarded"] ?? ""}`);
    this.form.querySelector<HTMLInputElement>("input[type=file]")!.focus();
  }

  private say(key: "" | "Looking" | "Nothing"): void {
    const place = this.form.querySelector<HTMLElement>("[data-upload-note]");
    if (place) place.textContent = key ? (this.form.dataset[`text${key}`] ?? "") : "";
  }
}

async function bundled(files: Chosen[], title: string): Promise<Load> {
  const sorted = ordered(files);
  const { body, parts } = pack(sorted);
  const top = files[0]!.path.split("/")[0]!;
  const name = `disc-${new Date().toISOString().slice(0, 10)}.tar`;
  const shown = filled(title, { name: files.every((one) => one.path.startsWith(`${top}/`)) ? top : "", count: parts.length });
  return { name, title: shown.trim(), body, parts, fingerprint: await fingerprint(sorted) };
}

async function single(one: Chosen): Promise<Load> {
  return { name: one.file.name, title: one.file.name, body: one.file, parts: [], fingerprint: await fingerprint([one]) };
}

/** The unfinished upload of these very files that the page lists, from this or another day or device. */
function known(load: Load): HTMLElement | null {
  const rows = Array.from(document.querySelectorAll<HTMLElement>("[data-transfer]"));
  const same = (row: HTMLElement): boolean => row.dataset["fingerprint"] === load.fingerprint;
  return rows.find((row) => same(row) && Number(row.dataset["length"]) === load.body.size) ?? null;
}

/** What was on its way when the page was left may have been counted after this page was drawn: ask where it stands. */
async function asked(row: HTMLElement): Promise<void> {
  const headers = { "Tus-Resumable": "1.0.0" };
  const request = { method: "HEAD", credentials: "same-origin", headers } as const;
  const answer = await fetch(row.dataset["transfer"]!, request).catch(() => null);
  const offset = answer?.ok ? Number(answer.headers.get("Upload-Offset")) : 0;
  if (!row.isConnected || offset <= Number(row.dataset["offset"])) return;
  const length = Number(row.dataset["length"]);
  if (offset >= length) return gone(row); // its last byte came meanwhile
  const now = percent(offset, length);
  row.dataset["offset"] = String(offset);
  row.querySelector("[data-percent]")!.textContent = String(now);
  row.querySelector("progress")!.value = now;
  row.hidden = false;
  hideIfEmpty();
}

function gone(row: HTMLElement): void {
  row.remove();
  hideIfEmpty();
}

function hideIfEmpty(): void {
  const box = document.querySelector<HTMLElement>("[data-transfers]");
  if (box) box.hidden = !box.querySelector("[data-transfer]:not([hidden])");
}

/** Fetch a page and put its element `id` in the place of ours. */
async function refreshed(address: string, id: string): Promise<void> {
  const mine = document.getElementById(id);
  if (!address || !mine) return;
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    const theirs = parsed.getElementById(id);
    if (!answer.ok || !theirs) return;
    const adopted = document.importNode(theirs, true);
    const before = left(mine);
    mine.replaceWith(adopted);
    restored(adopted, before);
    document.dispatchEvent(new CustomEvent("consilium:added", { detail: adopted }));
  } catch {
    // The connection is gone again: the next look shows it.
  }
}

steady("sent");
for (const row of document.querySelectorAll<HTMLElement>("[data-transfer]")) void asked(row);
for (const form of fresh<HTMLFormElement>(document, "form[data-tus]", "data-uploading")) new Form(form);
