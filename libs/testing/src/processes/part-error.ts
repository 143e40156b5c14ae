/**
 * A part (PostgreSQL, a service, ...) that cannot be had or did not start. Its message is meant to be shown as it is:
 * what failed, the cause, the last lines it logged and the remedy.
 */
export class PartError extends Error {
  readonly part: string;
  readonly reason: string;
  readonly lines: readonly string[];
  readonly remedy: string | undefined;

  constructor(
    part: string,
    reason: string,
    options: { lines?: readonly string[]; remedy?: string; cause?: unknown } = {},
  ) {
    const lines = (options.lines ?? []).slice(-20);
    super(
      [
        `${part}: ${reason}`,
        ...(lines.length > 0 ? [`last lines of ${part}:`, ...lines.map((line) => `    ${line}`)] : []),
        ...(options.remedy === undefined ? [] : [`remedy: ${options.remedy}`]),
      ].join('\n'),
      { cause: options.cause },
    );
    this.name = 'PartError';
    this.part = part;
    this.reason = reason;
    this.lines = lines;
    this.remedy = options.remedy;
  }
}
