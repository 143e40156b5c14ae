import { gauge, logger } from '@keelson/service-kit';

const log = logger('tasks');

const lastSuccess = gauge({
  name: 'keelson_task_last_success_timestamp_seconds',
  help: 'When the periodic task last ended well; a task that stopped is seen by this standing still',
  labelNames: ['task'],
});

export interface PeriodicTaskOptions {
  readonly name: string;
  /** From the end of one run to the start of the next; lengthened at random by up to a tenth, so that replicas spread. */
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Does something again and again. A run that fails is logged, and tried again at the next turn. */
export class PeriodicTask {
  readonly #options: PeriodicTaskOptions;
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  #woken = false;
  #loop: Promise<void> | undefined;

  constructor(options: PeriodicTaskOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Runs now rather than at the next turn; after the present run where one is under way. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves when the run under way has ended; its signal is aborted. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { name, run } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        await run(signal);
        lastSuccess.set({ task: name }, Date.now() / 1000);
      } catch (error) {
        if (!signal.aborted) log.warn({ task: name, err: error }, 'a periodic task failed; it is tried again');
      }
      await this.#pause();
    }
  }

  /** Timers go by the monotonic clock, so a jump of the wall clock neither holds a task up nor makes it run wild. */
  #pause(): Promise<void> {
    if (this.#woken || this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.everyMs * (1 + Math.random() / 10));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
