// A whole folder as one stream, without copying a byte of it: a Blob of headers and of the files themselves,
// which the browser reads from the disk when it sends them. Format: POSIX.1-2017, pax, "ustar Interchange Format"
// and "pax Header Block". The same files give the same bytes, so that sending can go on another day.

const BLOCK = 512;
const LAST_OCTAL = 0o77777777777; // what eleven octal digits hold: 8 GiB - 1
const utf8 = new TextEncoder();

/** A file somebody chose, with its path below what they chose. */
export interface Chosen {
  file: File;
  path: string;
}

/** A file inside what is sent: its bytes are [start, end). */
export interface Part {
  name: string;
  start: number;
  end: number;
}

export interface Bundle {
  body: Blob;
  parts: Part[];
}

/**
 * Files in their one order, by path, without the folders that all of them share: what was chosen by hand and what was
 * dropped come differently sorted, and below another name.
 */
export function ordered(chosen: Chosen[]): Chosen[] {
  const shared = sharedFolders(chosen.map((one) => one.path)).length;
  const byPath = new Map(chosen.map((one) => [one.path.slice(shared), one.file]));
  return [...byPath.keys()].sort(byCodePoint).map((path) => ({ path, file: byPath.get(path)! }));
}

/** "CD/DICOM/" for "CD/DICOM/1" and "CD/DICOM/2/3". */
function sharedFolders(paths: string[]): string {
  let shared = (paths[0] ?? "").replace(/[^/]*$/, "");
  for (const path of paths) while (!path.startsWith(shared)) shared = shared.replace(/[^/]*\/$/, "");
  return shared;
}

function byCodePoint(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0; // not localeCompare: it differs from one browser to the next
}

/** `chosen` (ordered) as a tar. */
export function pack(chosen: Chosen[]): Bundle {
  const pieces: BlobPart[] = [];
  const parts: Part[] = [];
  let at = 0;
  const put = (piece: Uint8Array<ArrayBuffer> | File, size: number): void => {
    if (size) pieces.push(piece);
    at += size;
  };
  for (const { file, path } of chosen) {
    const head = heads(path, file.size, Math.max(0, Math.floor(file.lastModified / 1000)));
    put(head, head.length);
    parts.push({ name: path, start: at, end: at + file.size });
    put(file, file.size);
    const rest = padding(file.size);
    put(new Uint8Array(rest), rest);
  }
  put(new Uint8Array(2 * BLOCK), 2 * BLOCK);
  return { body: new Blob(pieces, { type: "application/x-tar" }), parts };
}

/** The header of a file; before it, where needed, a pax header with its long or non-ASCII name. */
function heads(path: string, size: number, time: number): Uint8Array<ArrayBuffer> {
  const plain = plainName(path);
  const records = (plain === path ? "" : record("path", path)) + (size > LAST_OCTAL ? record("size", String(size)) : "");
  const own = header(plain, size > LAST_OCTAL ? 0 : size, time, "0");
  if (!records) return own;
  const body = utf8.encode(records);
  const whole = new Uint8Array(BLOCK + body.length + padding(body.length) + BLOCK);
  whole.set(header("PaxHeader", body.length, time, "x"), 0);
  whole.set(body, BLOCK);
  whole.set(own, whole.length - BLOCK);
  return whole;
}

/** At most 100 ASCII characters; the real name stands in the pax header when this is another. */
function plainName(path: string): string {
  const ascii = path.replace(/[^\x20-\x7e]/gu, "_");
  return ascii.length > 100 ? ascii.slice(-100) : ascii;
}

/** A pax record, "<length> <key>=<value>\n", whose length counts itself. */
function record(key: string, value: string): string {
  const rest = utf8.encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function header(name: string, size: number, time: number, sort: string): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const text = (value: string, at: number): void => block.set(utf8.encode(value), at);
  const octal = (value: number, at: number, digits: number): void => text(value.toString(8).padStart(digits, "0"), at);
  text(name, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(time, 136, 11);
  text("        ", 148); // the checksum counts itself as blanks
  text(sort, 156);
  text("ustar\u000000", 257);
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 6);
  block[154] = 0;
  return block;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** A name for these very files: SHA-256 over names, sizes and times; "" where the browser has no such function. */
export async function fingerprint(chosen: Chosen[]): Promise<string> {
  if (!globalThis.crypto?.subtle) return "";
  const lines = chosen.map(({ file, path }) => `${path}\0${file.size}\0${file.lastModified}\n`);
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(lines.join("")));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
