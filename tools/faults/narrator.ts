/** Tells what happens, each line with its time since the load began. */
export class Narrator {
  #started: number | undefined;
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
  }

  /** From now on lines have a time. */
  begin(): void {
    this.#started = performance.now();
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#started === undefined ? 0 : performance.now() - this.#started;
  }

  say(text: string): void {
    const time = this.#started === undefined ? '' : `${(this.elapsedMs / 1000).toFixed(1).padStart(7)} s  `;
    this.#write(`${time}${text}\n`);
  }

  /** Without a time: headings, the schedule, the verdict. */
  line(text = ''): void {
    this.#write(`${text}\n`);
  }
}
