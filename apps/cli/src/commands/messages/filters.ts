import { InvalidArgumentError, type Command } from 'commander';
import { parseTime } from '../events.ts';

/** Which parked messages are meant. */
export interface Filter {
  code?: string;
  type?: string;
  text?: string;
  key?: string;
  since?: string;
  until?: string;
}

export const filtered = (command: Command): Command =>
  command
    .option('--code <code>', 'why it was given up, such as attempts-exhausted')
    .option('--type <type>', 'CloudEvents type or routing key')
    .option('--text <text>', 'found in the body or in the reason')
    .option('--key <key>', 'partition key')
    .option('--since <time>', 'last failed not before: RFC 3339, or an age such as 30m, 2h, 7d', parseTime)
    .option('--until <time>', 'last failed not after', parseTime);

export const filterOf = ({ code, type, text, key, since, until }: Filter): Filter => ({
  code,
  type,
  text,
  key,
  since,
  until,
});

/** Messages a second. */
export function parsePerSecond(text: string): number {
  const rate = Number(text);
  if (!(rate >= 0.1 && rate <= 10_000)) throw new InvalidArgumentError('expected a number from 0.1 to 10000');
  return rate;
}

/** A whole number of 1 and more. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('expected a whole number from 1');
  return limit;
}
