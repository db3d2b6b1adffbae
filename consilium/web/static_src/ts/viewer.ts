// Images of a series or pages of a document: slider, wheel and arrow keys through frames, zoom and pan, and a
// region drawn by dragging. Without this script the links and number fields in the page do the same.
import { Selection } from "./viewer_selection";
import { Transform } from "./viewer_transform";

const NEIGHBOURS = 3;

class Viewer {
  private readonly urls: string[];
  private readonly image: HTMLImageElement | null;
  private readonly slider: HTMLInputElement | null;
  private readonly status: HTMLElement | null;
  private readonly cache = new Map<number, HTMLImageElement>();
  private readonly transform: Transform;
  private readonly selection: Selection;
  private current: number;
  private wheeled = 0;

  constructor(private readonly root: HTMLElement) {
    const data = document.getElementById(root.dataset["frames"] ?? "");
    this.urls = JSON.parse(data?.textContent ?? "[]") as string[];
    this.current = Number(root.dataset["current"] ?? 1);
    this.image = root.querySelector("[data-viewer-image]");
    this.slider = root.querySelector("[data-viewer-slider]");
    this.status = root.querySelector("[data-viewer-status]");
    const stage = root.querySelector<HTMLElement>("[data-viewer-stage]")!;
    this.transform = new Transform(root, stage, root.querySelector<HTMLElement>("[data-viewer-canvas]")!);
    this.selection = new Selection(root, stage, this.image, this.transform, () => this.current);
    this.setUpControls(stage);
    this.preload();
  }

  private setUpControls(stage: HTMLElement): void {
    if (this.slider && this.urls.length > 1) {
      this.slider.hidden = false;
      this.slider.addEventListener("input", () => this.go(Number(this.slider!.value)));
    }
    for (const name of ["[data-viewer-zoom-controls]", "[data-viewer-help]"]) {
      const element = this.root.querySelector<HTMLElement>(name);
      if (element) element.hidden = false;
    }
    for (const link of this.root.querySelectorAll<HTMLAnchorElement>("[data-viewer-step]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.go(this.current + Number(link.dataset["viewerStep"]));
      });
    }
    for (const button of this.root.querySelectorAll<HTMLButtonElement>("[data-viewer-zoom]")) {
      button.addEventListener("click", () => this.transform.step(button.dataset["viewerZoom"] ?? "reset"));
    }
    stage.addEventListener("keydown", (event) => this.onKey(event));
    stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.image?.addEventListener("error", () => this.shown(false));
    this.image?.addEventListener("load", () => this.shown(true));
    // It may have come, or failed, before anybody listened.
    if (this.image?.complete) this.shown(this.image.naturalWidth > 0);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.urls.length;
    const rtl = document.documentElement.dir === "rtl" ? -1 : 1;
    const moves: Record<string, number> = {
      ArrowDown: this.current + 1,
      ArrowUp: this.current - 1,
      ArrowRight: this.current + rtl,
      ArrowLeft: this.current - rtl,
      PageDown: this.current + 10,
      PageUp: this.current - 10,
      Home: 1,
      End: last,
    };
    const zooms: Record<string, string> = { "+": "in", "=": "in", "-": "out", "0": "reset" };
    const move = moves[event.key];
    const zoom = zooms[event.key];
    if (event.shiftKey && event.key.startsWith("Arrow")) this.transform.pan(event.key);
    else if (move !== undefined) this.go(move);
    else if (zoom) this.transform.step(zoom);
    else return;
    event.preventDefault();
  }

  private onWheel(event: WheelEvent): void {
    if (event.ctrlKey) {
      event.preventDefault();
      this.transform.zoomAt(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX, event.clientY);
      return;
    }
    // Only a viewer somebody is working with takes the wheel; otherwise the page scrolls.
    if (this.urls.length < 2 || !this.root.contains(document.activeElement)) return;
    event.preventDefault();
    this.wheeled += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 20 : event.deltaY;
    const steps = Math.trunc(this.wheeled / 40);
    if (!steps) return;
    this.wheeled -= steps * 40;
    this.go(this.current + steps);
  }

  go(wanted: number): void {
    const next = Math.min(Math.max(wanted, 1), this.urls.length);
    const url = this.urls[next - 1];
    if (!url || next === this.current || !this.image) return;
    this.current = next;
    const ready = this.cache.get(next);
    if (!ready?.complete) this.say("…");
    this.image.src = url;
    this.image.alt = this.image.alt.replace(/\d+\/\d+$/, `${next}/${this.urls.length}`);
    this.draw();
    this.remember();
    this.preload();
  }

  /** Beside another viewer: links outside this one lead back to the frame on show. */
  private remember(): void {
    const name = this.root.dataset["frameName"] ?? "";
    const around = this.root.closest("[data-side-by-side]");
    if (!around) return;
    for (const link of around.querySelectorAll<HTMLAnchorElement>('a[href^="?"]')) {
      if (this.root.contains(link)) continue;
      const address = new URL(link.href);
      address.searchParams.set(name, String(this.current));
      link.setAttribute("href", address.search + address.hash);
    }
  }

  private draw(): void {
    const last = this.urls.length;
    if (this.slider) this.slider.value = String(this.current);
    const count = this.root.querySelector("[data-viewer-count]");
    if (count) count.textContent = `${this.current} / ${last}`;
    for (const link of this.root.querySelectorAll<HTMLAnchorElement>("[data-viewer-step]")) {
      const stuck = Number(link.dataset["viewerStep"]) < 0 ? this.current === 1 : this.current === last;
      link.toggleAttribute("aria-disabled", stuck);
      if (stuck) link.setAttribute("aria-disabled", "true");
    }
    this.selection.show(this.current);
  }

  private preload(): void {
    for (let away = 1; away <= NEIGHBOURS; away += 1) {
      for (const number of [this.current + away, this.current - away]) {
        const url = this.urls[number - 1];
        if (!url || this.cache.has(number)) continue;
        const image = new Image();
        image.decoding = "async";
        image.src = url;
        this.cache.set(number, image);
      }
    }
  }

  private shown(well: boolean): void {
    this.root.classList.toggle("is-broken", !well);
    this.root.classList.toggle("is-fitted", well);
    if (well && this.image) {
      const { naturalWidth: width, naturalHeight: height } = this.image;
      this.root.style.setProperty("--image-shape", String(width / (height || width)));
      this.root.style.setProperty("--image-width", `${width}px`);
    }
    this.say(well ? "" : (this.root.dataset["textFailed"] ?? ""));
  }

  private say(sentence: string): void {
    if (this.status) this.status.textContent = sentence;
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-viewer]")) new Viewer(root);
