/**
 * Just enough of Prometheus' text format (version 0.0.4) for the gateway: families of series with labels, written on
 * demand. A family that has no series yet is left out.
 */
export type Labels = Readonly<Record<string, string>>;

export type Family = {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram' | 'untyped';
  lines: () => string[];
};

/** The whole page. */
export function renderFamilies(families: readonly Family[]): string {
  let text = '';
  for (const { name, help, type, lines } of families) {
    const series = lines();
    if (series.length === 0) continue;
    text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${series.join('\n')}\n`;
  }
  return text;
}

/** `{a="1",b="2"}`, values escaped. */
export function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escape = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** A histogram with fixed upper bounds; `le` and +Inf are added when it is written. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at !== -1) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  lines(name: string, labels: Labels): string[] {
    let cumulative = 0;
    const buckets = this.#bounds.map((bound, i) => {
      cumulative += this.#counts[i] ?? 0;
      return `${name}_bucket${renderLabels({ ...labels, le: String(bound) })} ${cumulative}`;
    });
    return [
      ...buckets,
      `${name}_bucket${renderLabels({ ...labels, le: '+Inf' })} ${this.#count}`,
      `${name}_sum${renderLabels(labels)} ${this.#sum}`,
      `${name}_count${renderLabels(labels)} ${this.#count}`,
    ];
  }
}
