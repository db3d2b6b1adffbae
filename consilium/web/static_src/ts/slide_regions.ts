import OpenSeadragon from "openseadragon";

interface Region { x: number; y: number; w: number; h: number }
const SMALLEST = 6; // pixels of the screen

/** Regions on a slide in fractions of its width and height: stored ones, and one for the form beside the viewer. */
export class Regions {
  private readonly form: HTMLFormElement | null;
  private readonly button: HTMLButtonElement | null;
  private readonly own: HTMLElement;
  private glass: HTMLElement | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly viewer: OpenSeadragon.Viewer,
    private readonly ratio: number,
  ) {
    const form = document.getElementById(root.dataset["selectForm"] ?? "");
    this.form = form instanceof HTMLFormElement ? form : null;
    this.button = root.querySelector("[data-slide-mark]");
    this.own = this.frame("slide__region slide__region--own");
    viewer.addOnceHandler("open", () => this.begin());
  }

  private begin(): void {
    for (const item of this.root.querySelectorAll<HTMLElement>("[data-slide-regions] li")) {
      const read = (name: string): number => Number(item.dataset[name]);
      const stored = this.frame("slide__region");
      stored.title = item.textContent ?? "";
      this.viewer.addOverlay({ element: stored, location: this.rect({ x: read("x"), y: read("y"), w: read("w"), h: read("h") }) });
    }
    if (!this.form) return;
    this.form.addEventListener("input", () => this.draw());
    this.button?.addEventListener("click", () => this.marking(!this.glass));
    this.root.querySelector("[data-slide-view]")?.addEventListener("click", () => this.fill(this.seen()));
    this.stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.marking(false);
    });
    this.draw();
    const region = this.fromFields();
    if (region) this.viewer.viewport.fitBounds(this.around(region), true);
  }

  private frame(names: string): HTMLElement {
    const element = document.createElement("div");
    element.className = names;
    return element;
  }

  private rect(region: Region): OpenSeadragon.Rect {
    return new OpenSeadragon.Rect(region.x, region.y * this.ratio, region.w, region.h * this.ratio);
  }

  private around(region: Region): OpenSeadragon.Rect {
    const rect = this.rect(region);
    return new OpenSeadragon.Rect(rect.x - rect.width / 2, rect.y - rect.height / 2, rect.width * 2, rect.height * 2);
  }

  /** A pane of glass over the picture catches the drag while a region is marked. */
  private marking(on: boolean): void {
    this.button?.setAttribute("aria-pressed", String(on));
    this.glass?.remove();
    this.glass = null;
    if (!on) return;
    const glass = this.frame("slide__glass");
    let start: { x: number; y: number } | null = null;
    glass.addEventListener("pointerdown", (event) => {
      start = this.point(event);
      glass.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    glass.addEventListener("pointermove", (event) => {
      if (start) this.show(this.between(start, this.point(event)));
    });
    glass.addEventListener("pointerup", (event) => {
      const region = start && this.between(start, this.point(event));
      start = null;
      if (region && this.largeEnough(region)) {
        this.fill(region);
        this.marking(false);
      } else this.draw();
    });
    this.stage.append(glass);
    this.glass = glass;
  }

  private point(event: PointerEvent): { x: number; y: number } {
    const box = this.stage.getBoundingClientRect();
    const pixel = new OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
    const place = this.viewer.viewport.pointFromPixel(pixel, true);
    const part = (value: number): number => Math.min(Math.max(value, 0), 1);
    return { x: part(place.x), y: part(place.y / this.ratio) };
  }

  private between(a: { x: number; y: number }, b: { x: number; y: number }): Region {
    return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
  }

  private largeEnough(region: Region): boolean {
    const size = this.viewer.viewport.deltaPixelsFromPoints(new OpenSeadragon.Point(region.w, region.h * this.ratio), true);
    return size.x >= SMALLEST && size.y >= SMALLEST;
  }

  /** The part of the slide that is visible now: marking without a pointer. */
  private seen(): Region {
    const bounds = this.viewer.viewport.getBounds(true);
    const part = (value: number): number => Math.min(Math.max(value, 0), 1);
    const from = { x: part(bounds.x), y: part(bounds.y / this.ratio) };
    const to = { x: part(bounds.x + bounds.width), y: part((bounds.y + bounds.height) / this.ratio) };
    return this.between(from, to);
  }

  private field(name: string): HTMLInputElement | null {
    return this.form?.querySelector<HTMLInputElement>(`[data-region="${name}"]`) ?? null;
  }

  private fill(region: Region): void {
    for (const key of ["x", "y", "w", "h"] as const) {
      const field = this.field(key);
      // Rounded down: a region at the edge stays inside.
      if (field) field.value = (Math.floor(region[key] * 1e6) / 1e6).toFixed(6);
    }
    const page = this.field("page");
    const record = this.field("record");
    if (page) page.value = this.root.dataset["page"] ?? "1";
    if (record && this.root.dataset["record"]) record.value = this.root.dataset["record"];
    // Autosave and the guard for unsaved changes listen to input, whoever made it.
    this.form?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  private draw(): void {
    const region = this.fromFields();
    if (region) this.show(region);
    else this.viewer.removeOverlay(this.own);
  }

  private show(region: Region): void {
    if (this.viewer.getOverlayById(this.own)) this.viewer.updateOverlay(this.own, this.rect(region));
    else this.viewer.addOverlay({ element: this.own, location: this.rect(region) });
  }

  private fromFields(): Region | null {
    const read = (name: string): number => Number(this.field(name)?.value || NaN);
    const region = { x: read("x"), y: read("y"), w: read("w"), h: read("h") };
    const sound = Object.values(region).every((value) => value >= 0 && value <= 1);
    return sound && region.w > 0 && region.h > 0 ? region : null;
  }
}
