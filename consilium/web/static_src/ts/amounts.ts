// Amounts in the language of the page.

const language = document.documentElement.lang || "en";
const STEPS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** "1.2 GB" */
export function bytes(count: number): string {
  const step = Math.min(STEPS.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  const digits = step > 1 ? 1 : 0;
  const format = { style: "unit", unit: STEPS[step], unitDisplay: "short", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, format).format(count / 1000 ** step);
}

export function number(count: number): string {
  return new Intl.NumberFormat(language).format(count);
}

/** Whole percent, 100 only when all is there. */
export function percent(part: number, whole: number): number {
  return whole ? Math.floor((part / whole) * 100) : 100;
}

/** A sentence with its gaps filled: "{sent} of {all}". */
export function filled(sentence: string, gaps: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (gap, name: string) => String(gaps[name] ?? gap));
}

/** How long the rest will take, from what was sent in the last half minute; rounded, so that it stands still. */
export class Estimate {
  private marks: { at: number; sent: number }[] = [];

  /** Minutes, or null while nobody can know. */
  minutes(sent: number, left: number): number | null {
    const at = Date.now();
    if (this.marks.some((mark) => mark.sent > sent)) this.marks = [];
    this.marks = [...this.marks.filter((mark) => at - mark.at < 30_000), { at, sent }];
    const first = this.marks[0]!;
    if (at - first.at < 5000 || sent <= first.sent) return null;
    return (left / ((sent - first.sent) / (at - first.at))) / 60_000;
  }
}
