// A slide with zoom: OpenSeadragon over tiles of our own data plane, a scale bar, a map, and regions that a finding
// cites. Styles are set through the CSS object model, which the content security policy allows. Without this script
// the links in the page go from part to part.
import OpenSeadragon from "openseadragon";
import { Regions } from "./slide_regions";

interface Info {
  width: number;
  height: number;
  tile: number;
  levels: number;
  ready: number;
  mpp: number | null;
  status: string;
  done: number;
  total: number;
}

const PATIENCE = 2500;
const STEP = 1.5;

/**
 * OpenSeadragon adds a style element to the page unless it finds one, and the policy refuses inline styles. It is
 * shown an element of that name that is none.
 */
function withoutInlineStyle(): void {
  const found = document.createElementNS("urn:consilium:none", "style");
  found.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(found);
}

class Slide {
  private viewer: OpenSeadragon.Viewer | null = null;
  private info: Info | null = null;
  private readonly stage: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.stage = this.part("stage")!;
    void this.look();
  }

  private part(name: string): HTMLElement | null {
    return this.root.querySelector<HTMLElement>(`[data-slide-${name}]`);
  }

  /** Ask how much is prepared; open what there is, and ask again until all is. */
  private async look(): Promise<void> {
    try {
      const answer = await fetch(`${this.root.dataset["tiles"]}info.json`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      this.take((await answer.json()) as Info);
    } catch {
      this.say(this.root.dataset["textFailed"] ?? "");
    }
  }

  private take(info: Info): void {
    const sharper = this.info !== null && info.ready > this.info.ready;
    this.info = info;
    if (info.ready > 0 && !this.viewer) this.open(info);
    else if (sharper) this.viewer?.world.getItemAt(0)?.reset();
    if (info.status === "ready") this.say("");
    else if (info.status !== "failed") {
      const done = Math.min(99, Math.floor((100 * info.done) / Math.max(1, info.total)));
      this.say((this.part("progress")?.dataset["text"] ?? "").replace("{n}", String(done)));
      window.setTimeout(() => void this.look(), PATIENCE);
    }
  }

  private say(sentence: string): void {
    const line = this.part("progress");
    if (line && line.textContent !== sentence) line.textContent = sentence;
  }

  private open(info: Info): void {
    for (const name of ["stage", "controls", "help"]) this.part(name)!.hidden = false;
    this.part("plain")!.hidden = true;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const source = new OpenSeadragon.TileSource({
      width: info.width,
      height: info.height,
      tileSize: info.tile,
      minLevel: 0,
      maxLevel: info.levels - 1,
      getTileUrl: (level: number, x: number, y: number) => `${this.root.dataset["tiles"]}${level}/${x}_${y}.jpg`,
    } as OpenSeadragon.TileSourceOptions);
    const exists = source.tileExists.bind(source);
    source.tileExists = (level, x, y) => level < (this.info?.ready ?? 0) && exists(level, x, y);
    const viewer = OpenSeadragon({
      element: this.stage,
      tileSources: source,
      drawer: "canvas",
      showNavigationControl: false,
      showNavigator: true,
      navigatorPosition: "TOP_RIGHT",
      ...this.map(info),
      navigatorRotate: false,
      maxZoomPixelRatio: 3,
      visibilityRatio: 0.4,
      animationTime: still ? 0 : 0.5,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      imageLoaderLimit: 6,
      keyboardNavEnabled: true,
    } as OpenSeadragon.Options);
    this.viewer = viewer;
    this.label(viewer);
    this.setUp(viewer, info);
  }

  /** The size of the overview map: the shape of the slide, and small on a small screen. */
  private map(info: Info): { navigatorWidth: string; navigatorHeight: string; navigatorMaintainSizeRatio: boolean } {
    const room = Math.min(190, this.stage.clientWidth * 0.28, this.stage.clientHeight * 0.35);
    const part = room / Math.max(info.width, info.height);
    const size = (pixels: number): string => `${Math.max(24, Math.round(pixels * part))}px`;
    return { navigatorWidth: size(info.width), navigatorHeight: size(info.height), navigatorMaintainSizeRatio: false };
  }

  /** What can take the focus says what it is. */
  private label(viewer: OpenSeadragon.Viewer): void {
    viewer.canvas.setAttribute("role", "application");
    viewer.canvas.setAttribute("aria-label", this.stage.getAttribute("aria-label") ?? "");
    viewer.canvas.setAttribute("aria-describedby", "slide-help");
    const map = viewer.navigator?.element;
    map?.setAttribute("aria-label", this.root.dataset["textMap"] ?? "");
    map?.setAttribute("role", "img");
    for (const inner of map?.querySelectorAll("[tabindex]") ?? []) inner.setAttribute("tabindex", "-1");
  }

  private setUp(viewer: OpenSeadragon.Viewer, info: Info): void {
    for (const button of this.root.querySelectorAll<HTMLElement>("[data-slide-zoom]")) {
      button.addEventListener("click", () => this.zoom(viewer, button.dataset["slideZoom"] ?? "home"));
    }
    viewer.addHandler("canvas-key", (event) => {
      const key = (event.originalEvent as KeyboardEvent).key;
      const how = { "+": "in", "=": "in", "-": "out", _: "out", "0": "home" }[key];
      if (how) this.zoom(viewer, how);
      // Its own keys go by their place on an American keyboard; and no stray letter turns or mirrors a slide.
      event.preventDefaultAction = key.length === 1;
    });
    const scale = (): void => this.scale(viewer, info);
    for (const name of ["open", "animation", "resize"] as const) viewer.addHandler(name, scale);
    new Regions(this.root, this.stage, viewer, info.height / info.width);
    this.root.dataset["ready"] = "";
  }

  private zoom(viewer: OpenSeadragon.Viewer, how: string): void {
    if (how === "home") viewer.viewport.goHome();
    else viewer.viewport.zoomBy(how === "in" ? STEP : 1 / STEP);
    viewer.viewport.applyConstraints();
  }

  /** A bar of a round length, at most a quarter of the picture wide. */
  private scale(viewer: OpenSeadragon.Viewer, info: Info): void {
    const bar = this.part("scale");
    const text = this.part("scale-text");
    const line = this.part("scale-line");
    if (!bar || !text || !line || !info.mpp) return;
    const pixels = viewer.viewport.viewportToImageZoom(viewer.viewport.getZoom(true));
    const perPixel = info.mpp / pixels; // micrometres a pixel of the screen
    const most = (this.stage.clientWidth / 4) * perPixel;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = power * ([5, 2].find((step) => step * power <= most) ?? 1);
    bar.hidden = false;
    line.style.width = `${length / perPixel}px`;
    const show = (value: number): string => value.toLocaleString(document.documentElement.lang || undefined);
    text.textContent = length >= 1000 ? `${show(length / 1000)} mm` : `${show(length)} µm`;
  }
}

withoutInlineStyle();
for (const root of document.querySelectorAll<HTMLElement>("[data-slide]")) new Slide(root);
