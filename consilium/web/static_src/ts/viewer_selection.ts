import type { Transform } from "./viewer_transform";

interface Region { x: number; y: number; w: number; h: number }
const SMALLEST = 0.005;

/** A region by dragging: fills the number fields of the form; typing into the fields draws the region. */
export class Selection {
  private readonly form: HTMLFormElement | null;
  private readonly rect: SVGRectElement | null;
  private readonly button: HTMLButtonElement | null;
  private start: { x: number; y: number } | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly image: HTMLImageElement | null,
    _transform: Transform,
    private readonly page: () => number,
  ) {
    const form = document.getElementById(root.dataset["selectForm"] ?? "");
    this.form = form instanceof HTMLFormElement ? form : null;
    this.rect = root.querySelector("[data-viewer-selection]");
    this.button = root.querySelector("[data-viewer-mark]");
    this.button?.addEventListener("click", () => this.marking(!this.isMarking()));
    if (!this.form || !this.image) return;
    stage.addEventListener("pointerdown", (event) => this.begin(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.end(event));
    stage.addEventListener("pointercancel", () => (this.start = null));
    stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.marking(false);
    });
    this.form.addEventListener("input", () => this.show(this.page()));
    this.show(this.page());
  }

  /** Draw what belongs to this frame: stored regions and the one being written. */
  show(page: number): void {
    for (const mark of this.root.querySelectorAll<SVGRectElement>("[data-viewer-marks] rect[data-page]")) {
      mark.setAttribute("visibility", Number(mark.dataset["page"]) === page ? "visible" : "hidden");
    }
    const region = this.fromFields();
    const own = Number(this.field("page")?.value || page) === page;
    if (region && own) this.draw(region);
    else this.rect?.setAttribute("visibility", "hidden");
  }

  private isMarking(): boolean {
    return this.root.classList.contains("is-marking");
  }

  private marking(on: boolean): void {
    this.root.classList.toggle("is-marking", on);
    this.button?.setAttribute("aria-pressed", String(on));
    this.start = null;
  }

  private point(event: PointerEvent): { x: number; y: number } {
    const box = this.image!.getBoundingClientRect();
    const part = (value: number): number => Math.min(Math.max(value, 0), 1);
    return { x: part((event.clientX - box.left) / box.width), y: part((event.clientY - box.top) / box.height) };
  }

  private begin(event: PointerEvent): void {
    if (!this.isMarking() || event.button !== 0) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.start = this.point(event);
    this.stage.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    if (this.start) this.draw(this.between(this.start, this.point(event)));
  }

  private end(event: PointerEvent): void {
    if (!this.start) return;
    const region = this.between(this.start, this.point(event));
    this.start = null;
    if (region.w < SMALLEST || region.h < SMALLEST) return this.show(this.page());
    this.fill(region);
    this.marking(false);
  }

  private between(a: { x: number; y: number }, b: { x: number; y: number }): Region {
    return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
  }

  private draw(region: Region): void {
    if (!this.rect) return;
    const names = { x: "x", y: "y", w: "width", h: "height" } as const;
    for (const key of ["x", "y", "w", "h"] as const) this.rect.setAttribute(names[key], String(region[key] * 100));
    this.rect.setAttribute("visibility", "visible");
  }

  private field(name: string): HTMLInputElement | null {
    return this.form?.querySelector<HTMLInputElement>(`[data-region="${name}"]`) ?? null;
  }

  private fill(region: Region): void {
    for (const key of ["x", "y", "w", "h"] as const) {
      const field = this.field(key);
      if (field) field.value = region[key].toFixed(4);
    }
    const page = this.field("page");
    const record = this.field("record");
    if (page) page.value = String(this.page());
    if (record && this.root.dataset["record"]) record.value = this.root.dataset["record"];
    // Autosave and the guard for unsaved changes listen to input, whoever made it.
    this.form?.dispatchEvent(new Event("input", { bubbles: true }));
    this.show(this.page());
  }

  private fromFields(): Region | null {
    const read = (name: string): number => Number(this.field(name)?.value || NaN);
    const region = { x: read("x"), y: read("y"), w: read("w"), h: read("h") };
    const sound = Object.values(region).every((value) => value >= 0 && value <= 1);
    return sound && region.w > 0 && region.h > 0 ? region : null;
  }
}
