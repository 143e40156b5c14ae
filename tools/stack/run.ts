import type { StackOptions } from './options.ts';
import type { Progress } from './progress.ts';

/** One run of the platform: what was asked for, where its files are, what it has started and must stop. */
export class Run {
  readonly root: string;
  readonly options: StackOptions;
  /** Goes with the run. */
  readonly folder: string;
  /** Databases, queues and keys: in {@link folder}, or where `--keep-data` keeps them. */
  readonly dataFolder: string;
  readonly progress: Progress;
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  readonly #parts: { name: string; stop(): Promise<unknown> }[] = [];

  constructor(of: Pick<Run, 'root' | 'options' | 'folder' | 'dataFolder' | 'progress' | 'signal'>) {
    this.root = of.root;
    this.options = of.options;
    this.folder = of.folder;
    this.dataFolder = of.dataFolder;
    this.progress = of.progress;
    this.signal = of.signal;
  }

  /** Has {@link stop} stop this part; gives it back. */
  keep<T extends { stop(): Promise<unknown> }>(name: string, part: T): T {
    this.#parts.push({ name, stop: () => part.stop() });
    return part;
  }

  /** Says what happens beside the steps, such as an installation or a service that was started again. */
  readonly report = (text: string): void => this.progress.line(`  ..  ${text}`);

  /** In the opposite order: nobody is left to send work to what stops after it. Says what did not stop; never rejects. */
  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) {
      await part
        .stop()
        .catch((error: unknown) => process.stderr.write(`${part.name} did not stop: ${String(error)}\n`));
    }
  }
}
