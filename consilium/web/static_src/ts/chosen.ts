import { Chosen } from "./tar";

// What systems leave in folders by themselves; it changes without anybody changing anything.
const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini", ".Spotlight-V100", ".Trashes", ".fseventsd"]);

export interface Choice {
  files: Chosen[];
  folder: boolean;
}

/** What an input holds; empties it, so that the same files can be chosen again. */
export function fromInput(input: HTMLInputElement): Choice {
  const files = Array.from(input.files ?? []).map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  const folder = files.some((one) => one.path.includes("/"));
  input.value = "";
  return { files: files.filter(isWanted), folder };
}

/** What was dropped, with everything inside dropped folders. */
export async function fromDrop(transfer: DataTransfer | null): Promise<Choice> {
  // Entries must be asked for before the first await: the browser empties the list afterwards.
  const entries = Array.from(transfer?.items ?? []).map((item) => item.webkitGetAsEntry());
  const loose = Array.from(transfer?.files ?? []);
  if (!entries.some((entry) => entry?.isDirectory)) {
    return { files: loose.map((file) => ({ file, path: file.name })).filter(isWanted), folder: false };
  }
  const files: Chosen[] = [];
  for (const entry of entries) if (entry) for await (const one of walk(entry)) files.push(one);
  return { files: files.filter(isWanted), folder: true };
}

function isWanted({ path }: Chosen): boolean {
  return !path.split("/").some((part) => LITTER.has(part) || part.startsWith("._"));
}

async function* walk(entry: FileSystemEntry): AsyncGenerator<Chosen> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
    yield { file, path: entry.fullPath.replace(/^\//, "") };
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
