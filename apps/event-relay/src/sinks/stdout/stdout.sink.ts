import type { JournalEntry } from '../../journal/entry.ts';
import { DELIVERED, type Outcome, type Sink } from '../sink.ts';

/** One JSON line an event on standard output, for log collectors. Waits while the reader is slow. */
export class StdoutSink implements Sink {
  readonly kind = 'stdout';
  readonly batchSize = 100;

  async deliver(entries: readonly JournalEntry[]): Promise<readonly Outcome[]> {
    const lines = entries.map(({ original: _original, team: _team, ...event }) => `${JSON.stringify({ event })}\n`);
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(lines.join(''), (error) => (error ? reject(error) : resolve()));
    });
    return entries.map(() => DELIVERED);
  }

  async close(): Promise<void> {}
}
