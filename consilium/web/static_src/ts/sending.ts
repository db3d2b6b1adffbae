import { type DetailedError, Upload } from "tus-js-client";
import type { Part } from "./tar";

const CHUNK = 64 * 2 ** 20; // one request; the server makes each durable as a whole
const PAUSES = [1, 2, 5, 10, 20, 40].map((seconds) => seconds * 1000);
const SILENCE = 60_000; // a line that moves nothing for so long is opened anew
const FINAL = new Set([400, 401, 403, 404, 410, 412, 413, 415, 507]); // trying again would not help

export type State = "waiting" | "sending" | "paused" | "offline" | "broken" | "done" | "failed";

/** What is sent in one go: a file, or a folder as one bundle. */
export interface Load {
  name: string;
  title: string;
  body: Blob;
  fingerprint: string;
  parts: Part[];
}

/** Sends one load to the end, whatever happens to the line; `changed` is called whenever there is news. */
export class Sending {
  state: State = "waiting";
  status = 0; // of the answer that ended it, or 0
  unreadable = false; // the file is not there any more
  private readonly upload: Upload;
  private tries = 0;
  private timer = 0;
  private readonly watching: number;
  private moved = Date.now();

  constructor(
    readonly load: Load,
    endpoint: string,
    known: string,
    public sent: number,
    private readonly changed: (sending: Sending) => void,
  ) {
    this.upload = new Upload(load.body, {
      endpoint: known ? null : endpoint,
      uploadUrl: known || null,
      chunkSize: CHUNK,
      retryDelays: null, // the pauses are ours: they never end, and they know of being offline
      storeFingerprintForResuming: false, // the server remembers, on every device, and nothing lies in the browser
      metadata: { filename: load.name, fingerprint: load.fingerprint },
      onUploadUrlAvailable: () => (this.upload.options.endpoint = null), // never begin anew by itself
      onProgress: (sent) => this.progressed(sent),
      onSuccess: () => this.be("done"),
      onError: (error) => void this.stumbled(error),
    });
    window.addEventListener("online", () => this.state === "offline" && this.start());
    window.addEventListener("offline", () => this.state === "sending" && this.retryLater());
    this.watching = window.setInterval(() => this.watch(), 5000);
  }

  get size(): number {
    return this.load.body.size;
  }

  get active(): boolean {
    return this.state === "sending" || this.state === "offline" || this.state === "broken";
  }

  start(): void {
    window.clearTimeout(this.timer);
    this.moved = Date.now();
    this.be("sending");
    this.upload.start();
  }

  pause(): void {
    window.clearTimeout(this.timer);
    void this.upload.abort();
    this.be("paused");
  }

  /** Stop, and have what arrived deleted. */
  async discard(): Promise<void> {
    window.clearTimeout(this.timer);
    window.clearInterval(this.watching);
    this.state = "paused";
    await this.upload.abort(true).catch(() => undefined); // what is left over expires by itself
  }

  private be(state: State): void {
    this.state = state;
    if (state === "done") {
      this.sent = this.size;
      window.clearInterval(this.watching);
    }
    this.changed(this);
  }

  private progressed(sent: number): void {
    if (sent > this.sent) this.tries = 0;
    this.sent = sent;
    this.moved = Date.now();
    if (this.state === "sending") this.changed(this);
  }

  private async stumbled(error: Error | DetailedError): Promise<void> {
    const answer = "originalResponse" in error ? error.originalResponse : null;
    this.status = answer?.getStatus() ?? 0;
    if (FINAL.has(this.status)) return this.be("failed");
    if (!this.status && !(await this.readable())) {
      this.unreadable = true;
      return this.be("failed");
    }
    if (this.state === "sending") this.retryLater();
  }

  /** Whether the next byte can be read: discs are taken out, files are moved. */
  private async readable(): Promise<boolean> {
    try {
      await this.load.body.slice(this.sent, this.sent + 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  private retryLater(): void {
    void this.upload.abort();
    const pause = PAUSES[Math.min(this.tries++, PAUSES.length - 1)]!;
    this.be(navigator.onLine ? "broken" : "offline");
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.start(), navigator.onLine ? pause * (0.8 + Math.random() * 0.4) : SILENCE);
  }

  private watch(): void {
    if (this.state === "sending" && Date.now() - this.moved > SILENCE) this.retryLater();
  }
}
