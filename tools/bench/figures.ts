import { cpus, totalmem } from 'node:os';

/** One measured figure. `reference` is what it is held against, measured in the same run; `ratio` is value / reference. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference?: number;
  readonly ratio?: number;
  /** What the reference is, in words. */
  readonly against?: string;
}

/** A figure with its ratio. */
export function against(name: string, value: number, unit: string, reference: number, what: string): Figure {
  return { name, value, unit, reference, ratio: value / reference, against: what };
}

export function machineLines(): string[] {
  const [cpu] = cpus();
  return [
    `machine   ${cpus().length} cores, ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `versions  Node ${process.versions.node}, PostgreSQL 18 (fsync on), RabbitMQ of Debian`,
  ];
}

export function printTable(figures: readonly Figure[]): void {
  for (const figure of figures) {
    const reference = figure.reference === undefined ? '' : `${round(figure.reference)} (${figure.against})`;
    const ratio = figure.ratio === undefined ? '' : `${Math.round(figure.ratio * 100)} %`;
    process.stdout.write(
      `${figure.name.padEnd(26)} ${round(figure.value).padStart(10)} ${figure.unit.padEnd(10)} ${ratio.padStart(6)}  ${reference}\n`,
    );
  }
}

export function printJson(figures: readonly Figure[]): void {
  for (const { name, value, unit, reference, ratio } of figures) {
    process.stdout.write(
      `${JSON.stringify({ name, value, unit, reference: reference ?? null, ratio: ratio ?? null })}\n`,
    );
  }
}

const round = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2));
