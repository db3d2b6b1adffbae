import { announce, csrfToken, fresh } from "./http";

const PARALLEL = 2;
const RETRY_MS = [2000, 5000, 12000];

interface Item {
  file: File;
  path: string;
  row: HTMLElement;
  tries: number;
  request: XMLHttpRequest | null;
}

/** Files go one by one with a progress bar each; a break in the connection is tried again. */
export function uploads(root: ParentNode): void {
  for (const form of fresh<HTMLFormElement>(root, "form[data-upload]:not([data-tus])", "data-uploading")) new Uploader(form);
}

class Uploader {
  private readonly queue: Item[] = [];
  private active = 0;
  private readonly list: HTMLElement;
  private readonly input: HTMLInputElement;

  constructor(private readonly form: HTMLFormElement) {
    this.list = form.querySelector<HTMLElement>("[data-upload-list]")!;
    this.input = form.querySelector<HTMLInputElement>("input[type=file]")!;
    form.querySelector<HTMLElement>("[data-upload-submit]")!.hidden = true;
    form.addEventListener("submit", (event) => event.preventDefault());
    this.input.addEventListener("change", () => this.take(this.input));
    this.setUpFolder();
    this.setUpDrop(form.querySelector<HTMLElement>("[data-dropzone]")!);
    window.addEventListener("online", () => this.retryFailed());
    window.addEventListener("beforeunload", (event) => {
      if (this.active || this.queue.length) event.preventDefault();
    });
  }

  private setUpFolder(): void {
    const box = this.form.querySelector<HTMLElement>("[data-upload-folder]");
    const input = box?.querySelector<HTMLInputElement>("input");
    if (!box || !input || !("webkitdirectory" in input)) return;
    box.hidden = false;
    input.addEventListener("change", () => this.take(input));
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
      void this.takeDropped(event.dataTransfer);
    });
  }

  private take(input: HTMLInputElement): void {
    for (const file of Array.from(input.files ?? [])) this.add(file, file.webkitRelativePath);
    input.value = "";
    this.pump();
  }

  private async takeDropped(transfer: DataTransfer | null): Promise<void> {
    // Entries must be asked for before the first await: the browser empties the list afterwards.
    const entries = Array.from(transfer?.items ?? []).map((item) => item.webkitGetAsEntry());
    const loose = Array.from(transfer?.files ?? []);
    if (entries.some((entry) => entry?.isDirectory)) {
      for (const entry of entries) if (entry) for await (const [file, path] of walk(entry)) this.add(file, path);
    } else {
      for (const file of loose) this.add(file, "");
    }
    this.pump();
  }

  private add(file: File, path: string): void {
    const item: Item = { file, path, row: this.drawRow(file, path), tries: 0, request: null };
    this.list.hidden = false;
    this.list.append(item.row);
    this.queue.push(item);
    this.say(item, this.text("Waiting"), "");
    this.button(item, this.text("Cancel"), () => this.cancel(item));
  }

  private drawRow(file: File, path: string): HTMLElement {
    const row = document.createElement("li");
    row.className = "upload__item";
    const name = document.createElement("p");
    name.className = "upload__name";
    name.textContent = path || file.name;
    const state = document.createElement("p");
    state.className = "upload__state";
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", path || file.name);
    const action = document.createElement("button");
    action.type = "button";
    action.className = "button button--quiet button--small";
    row.append(name, action, bar, state);
    return row;
  }

  private pump(): void {
    while (this.active < PARALLEL) {
      const item = this.queue.shift();
      if (!item) return;
      this.send(item);
    }
  }

  private send(item: Item): void {
    this.active += 1;
    const request = new XMLHttpRequest();
    item.request = request;
    request.open("POST", this.form.action);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json, text/html");
    request.setRequestHeader("X-Requested-With", "upload");
    request.upload.addEventListener("progress", (event) => this.progress(item, event));
    request.addEventListener("load", () => this.answered(item, request));
    request.addEventListener("error", () => this.broken(item));
    request.addEventListener("timeout", () => this.broken(item));
    request.addEventListener("loadend", () => {
      this.active -= 1;
      item.request = null;
      this.pump();
    });
    this.say(item, `${this.text("Sending")} …`, "");
    request.send(this.body(item));
  }

  private body(item: Item): FormData {
    const data = new FormData(this.form);
    data.delete(this.input.name);
    // Small fields first: the server knows what a file is for before its bytes arrive.
    if (item.path) data.append("path", item.path);
    data.append(this.input.name, item.file, item.file.name);
    return data;
  }

  private progress(item: Item, event: ProgressEvent): void {
    if (!event.lengthComputable) return;
    const percent = Math.floor((event.loaded / event.total) * 100);
    item.row.querySelector("progress")!.value = percent;
    this.say(item, `${this.text("Sending")} ${percent} %`, "");
  }

  private answered(item: Item, request: XMLHttpRequest): void {
    if (request.status >= 500 || request.status === 0) return this.broken(item);
    const answer = read(request);
    if (request.status >= 400) return this.failed(item, answer.message || this.text("Failed"));
    item.row.querySelector("progress")!.value = 100;
    this.say(item, answer.message || this.text("Done"), "is-done");
    this.button(item, "", null);
    announce(`${item.file.name}: ${answer.message || this.text("Done")}`);
    document.body.dispatchEvent(new CustomEvent("consilium:uploaded"));
    this.show(answer.html, item);
  }

  private show(html: string, item: Item): void {
    const target = document.getElementById(this.form.dataset["uploadTarget"] ?? "");
    if (!target || !html) return;
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const nodes = Array.from(parsed.body.children);
    for (const node of nodes) {
      const same = node.id ? document.getElementById(node.id) : null;
      const adopted = document.importNode(node, true);
      if (same) same.replaceWith(adopted);
      else target.append(adopted);
      document.dispatchEvent(new CustomEvent("consilium:added", { detail: adopted }));
    }
    item.row.remove();
    this.list.hidden = this.list.children.length === 0;
  }

  private broken(item: Item): void {
    const wait = RETRY_MS[item.tries];
    this.failed(item, this.text("Failed"));
    if (wait === undefined) return;
    item.tries += 1;
    window.setTimeout(() => {
      if (item.row.classList.contains("is-failed")) this.again(item);
    }, wait);
  }

  private failed(item: Item, sentence: string): void {
    this.say(item, sentence, "is-failed");
    announce(`${item.file.name}: ${sentence}`);
    this.button(item, this.text("Retry"), () => this.again(item));
  }

  private again(item: Item): void {
    if (item.request || this.queue.includes(item) || !item.row.isConnected) return;
    this.queue.push(item);
    this.button(item, this.text("Cancel"), () => this.cancel(item));
    this.say(item, this.text("Waiting"), "");
    this.pump();
  }

  private retryFailed(): void {
    for (const row of this.list.querySelectorAll(".is-failed button")) (row as HTMLButtonElement).click();
  }

  private cancel(item: Item): void {
    const waiting = this.queue.indexOf(item);
    if (waiting >= 0) this.queue.splice(waiting, 1);
    item.request?.abort();
    announce(`${item.file.name}: ${this.text("Cancelled")}`);
    item.row.remove();
    this.list.hidden = this.list.children.length === 0;
    this.input.focus();
  }

  private say(item: Item, sentence: string, state: string): void {
    item.row.querySelector(".upload__state")!.textContent = sentence;
    item.row.className = `upload__item ${state}`;
  }

  private button(item: Item, label: string, act: (() => void) | null): void {
    const old = item.row.querySelector("button");
    if (!old) return;
    if (!act) return old.remove();
    old.textContent = label;
    old.setAttribute("aria-label", `${label}: ${item.file.name}`);
    old.onclick = act;
  }

  private text(key: string): string {
    return this.form.dataset[`text${key}`] ?? key;
  }
}

function read(request: XMLHttpRequest): { html: string; message: string } {
  const text = request.responseText;
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (!type.includes("json")) return type.includes("html") && request.status < 400 ? { html: text, message: "" } : { html: "", message: type.includes("plain") ? text : "" };
  try {
    const parsed = JSON.parse(text) as { html?: string; message?: string };
    return { html: parsed.html ?? "", message: parsed.message ?? "" };
  } catch {
    return { html: "", message: "" };
  }
}

async function* walk(entry: FileSystemEntry): AsyncGenerator<[File, string]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
    yield [file, entry.fullPath.replace(/^\//, "")];
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader hands out a hundred entries at a time and an empty list at the end.
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return;
    for (const child of some) yield* walk(child);
  }
}
