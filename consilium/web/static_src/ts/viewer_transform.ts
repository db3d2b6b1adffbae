const MAX_SCALE = 8;

/** Zoom and pan by the CSS object model, which the content security policy allows (unlike style attributes). */
export class Transform {
  private scale = 1;
  private x = 0;
  private y = 0;
  private dragging: { pointer: number; x: number; y: number } | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly canvas: HTMLElement,
  ) {
    stage.addEventListener("pointerdown", (event) => this.grab(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    stage.addEventListener("pointerup", () => (this.dragging = null));
    stage.addEventListener("pointercancel", () => (this.dragging = null));
    stage.addEventListener("dblclick", (event) => this.zoomAt(this.scale > 1 ? 1 / this.scale : 2, event.clientX, event.clientY));
  }

  step(direction: string): void {
    if (direction === "reset") return this.set(1, 0, 0);
    const box = this.stage.getBoundingClientRect();
    this.zoomAt(direction === "in" ? 1.4 : 1 / 1.4, box.left + box.width / 2, box.top + box.height / 2);
  }

  /** Zoom by a factor so that the point under the pointer stays where it is (client coordinates). */
  zoomAt(factor: number, clientX: number, clientY: number): void {
    const scale = Math.min(Math.max(this.scale * factor, 1), MAX_SCALE);
    const box = this.canvas.getBoundingClientRect();
    const ratio = scale / this.scale;
    this.set(scale, this.x - (clientX - box.left) * (ratio - 1), this.y - (clientY - box.top) * (ratio - 1));
  }

  pan(key: string): void {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40],
    };
    const [x, y] = moves[key] ?? [0, 0];
    this.set(this.scale, this.x + x, this.y + y);
  }

  private set(scale: number, x: number, y: number): void {
    const width = this.canvas.offsetWidth;
    const height = this.canvas.offsetHeight;
    this.scale = scale;
    this.x = Math.min(Math.max(x, -width * (scale - 1)), 0);
    this.y = Math.min(Math.max(y, -height * (scale - 1)), 0);
    this.canvas.style.transform = scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${scale})`;
    this.root.classList.toggle("is-grabbable", scale > 1);
  }

  private grab(event: PointerEvent): void {
    if (this.scale === 1 || event.button !== 0 || this.root.classList.contains("is-marking")) return;
    this.dragging = { pointer: event.pointerId, x: event.clientX - this.x, y: event.clientY - this.y };
    this.stage.setPointerCapture(event.pointerId);
  }

  private drag(event: PointerEvent): void {
    if (this.dragging?.pointer !== event.pointerId) return;
    this.set(this.scale, event.clientX - this.dragging.x, event.clientY - this.dragging.y);
  }
}
