import { PartError } from '@keelson/testing';

const live = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
const width = 52;

/** What a step says while it runs. */
export interface Progress {
  /** What is being waited for now. */
  waiting: (for_: string) => void;
}

/**
 * Runs one step and shows it on a line with its time: `  ok  RabbitMQ 3.10.8 on 127.0.0.1:41233     5.2 s`. The work
 * returns what the line says at the end; on a terminal the line is written again and again meanwhile.
 */
export async function step<T>(
  title: string,
  work: (progress: Progress) => Promise<T>,
  done: (result: T) => string = () => title,
): Promise<T> {
  const started = performance.now();
  let waitingFor = '';
  const seconds = (): string => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  const show = (): void =>
    void process.stderr.write(`\r\x1b[2K  ..  ${title}${waitingFor && `: ${waitingFor}`} ${seconds()}`);
  const timer = live ? setInterval(show, 200) : undefined;
  const end = (mark: string, text: string): void => {
    clearInterval(timer);
    process.stderr.write(`${live ? '\r\x1b[2K' : ''}  ${mark}  ${text.padEnd(width)} ${seconds().padStart(8)}\n`);
  };
  try {
    const result = await work({
      waiting: (for_) => {
        waitingFor = for_;
        if (!live) process.stderr.write(`  ..  ${title}: ${for_}\n`);
      },
    });
    end('ok', done(result));
    return result;
  } catch (error) {
    end('!!', title);
    throw error;
  }
}

/** Tells the reader why a command cannot go on: the part, its last lines, the cause and the remedy. */
export function explain(error: unknown): string {
  if (error instanceof PartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
