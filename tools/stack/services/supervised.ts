import { describeExit, startProcess, type ManagedProcess, type ProcessOptions } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that is started again whenever it ends, as Kubernetes would; what was said about it goes to `report`. */
export class Supervised {
  readonly #options: ProcessOptions;
  readonly #report: (line: string) => void;
  #process: ManagedProcess;
  #stopping = false;
  #restarts = 0;

  private constructor(options: ProcessOptions, report: (line: string) => void, first: ManagedProcess) {
    this.#options = options;
    this.#report = report;
    this.#process = first;
    void this.#watch();
  }

  /** Starts it and waits until it is ready; throws where it is not the first time. */
  static async start(options: ProcessOptions, report: (line: string) => void): Promise<Supervised> {
    return new Supervised(options, report, await startProcess(options));
  }

  get name(): string {
    return this.#options.name;
  }

  /** Of the process that runs now. */
  get pid(): number {
    return this.#process.pid;
  }

  get url(): string | undefined {
    return this.#process.url;
  }

  get restarts(): number {
    return this.#restarts;
  }

  lastLines(count?: number): string[] {
    return this.#process.lastLines(count);
  }

  async stop(graceMs = 5_000): Promise<void> {
    this.#stopping = true;
    await this.#process.stop(graceMs);
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      const exit = await this.#process.exited;
      if (this.#stopping) return;
      this.#restarts += 1;
      this.#report(`${this.name} ended with ${describeExit(exit)}; starting it again`);
      await this.#startAgain();
    }
  }

  async #startAgain(): Promise<void> {
    for (let attempt = 0; !this.#stopping; attempt += 1) {
      try {
        const next = await startProcess(this.#options);
        this.#process = next;
        if (this.#stopping) await next.stop(1_000);
        return;
      } catch (error) {
        this.#report(`${this.name} does not start: ${error instanceof Error ? error.message : String(error)}`);
        await pause(Math.min(10_000, 500 * 2 ** attempt));
      }
    }
  }
}
