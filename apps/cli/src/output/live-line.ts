/** Where progress goes: on a terminal one line that is renewed, elsewhere a line each time. */
export class LiveLine {
  readonly #write: (text: string) => void;
  readonly #columns: number | undefined;
  #shown = false;

  /** `columns` is the width of the terminal, undefined where it is none. */
  constructor(write: (text: string) => void, columns: number | undefined) {
    this.#write = write;
    this.#columns = columns;
  }

  show(text: string): void {
    if (this.#columns === undefined) return this.#write(`${text}\n`);
    this.#shown = true;
    this.#write(`\r\u001b[2K${text.slice(0, this.#columns - 1)}`);
  }

  /** Clears the line, so that what follows begins on an empty one. */
  end(): void {
    if (this.#shown) this.#write('\r\u001b[2K');
    this.#shown = false;
  }
}
