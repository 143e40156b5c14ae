const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
const color = live && process.env['NO_COLOR'] === undefined;
const paint = (code: string, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);

/**
 * Steps that may run side by side: each ends as a line of its own with its time; below them, on a terminal, one line
 * that is written again and again says what is being waited for.
 */
export class Progress {
  readonly #active = new Map<symbol, { title: string; since: number; waiting: string }>();
  #timer: NodeJS.Timeout | undefined;

  /** Runs one step; `done` says what its line reads at the end. */
  async step<T>(
    title: string,
    work: (waitingFor: (what: string) => void) => Promise<T>,
    done: (result: T) => string = () => title,
  ): Promise<T> {
    const id = Symbol(title);
    const since = performance.now();
    const state = { title, since, waiting: '' };
    this.#active.set(id, state);
    this.#draw();
    const end = (mark: string, text: string): void => {
      this.#active.delete(id);
      const seconds = `${((performance.now() - since) / 1000).toFixed(1)} s`;
      this.line(`  ${mark}  ${text.padEnd(72)} ${seconds.padStart(7)}`);
    };
    try {
      const result = await work((what) => {
        state.waiting = what;
        if (!live) process.stdout.write(`  ..  ${title}: ${what}\n`);
      });
      end(paint('32', 'ok'), done(result));
      return result;
    } catch (error) {
      end(paint('31', '!!'), title);
      throw error;
    }
  }

  /** Prints a line above the live one. */
  line(text = ''): void {
    process.stdout.write(`${live ? '\r\x1b[2K' : ''}${text}\n`);
    this.#draw();
  }

  /** A heading of the story. */
  heading(text: string): void {
    this.line();
    this.line(paint('1', text));
  }

  /** Something said in the story, indented. */
  say(text: string): void {
    this.line(`  ${text}`);
  }

  good(text: string): void {
    this.line(`  ${paint('32', '✓')} ${text}`);
  }

  bad(text: string): void {
    this.line(`  ${paint('31', '✗')} ${text}`);
  }

  /** Shows a passing state on the live line until the next call; nothing off a terminal. */
  note(text: string): void {
    if (live) process.stdout.write(`\r\x1b[2K  ${paint('2', text)}`);
  }

  #draw(): void {
    if (!live) return;
    if (this.#active.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), 200);
    const now = performance.now();
    const parts = [...this.#active.values()].map(
      ({ title, since, waiting }) => `${title}${waiting && ` (${waiting})`} ${((now - since) / 1000).toFixed(0)} s`,
    );
    const width = process.stdout.columns ?? 100;
    process.stdout.write(`\r\x1b[2K${paint('2', `  ..  ${parts.join(', ')}`.slice(0, width - 1))}`);
  }
}
