import { parseArgs } from 'node:util';
import { KINDS, kindsFor, type KindName } from './schedule/kinds.ts';

export const HELP = `usage: npm run faults -- [OPTIONS]

Starts PostgreSQL, RabbitMQ and every role of order-demo as a process of its own, puts them under load, and breaks one
part after the other by a schedule that follows from the seed. Ends with the verifier: exit code 0 only if no order was
lost, doubled or stuck and no stock is missing.

  --seed N            which schedule (default 1); the same seed and options give the same one
  --for DURATION      how long faults go on: 60s, 5m, 1h (default 60s)
  --rate N            orders a second (default 30); a tenth of them are sent twice, a third out of order
  --only KIND,KIND    only these kinds of faults; --list names them
  --cluster N         RabbitMQ as a cluster of N nodes on this machine (3 or 5); adds kill-leader and partition
  --plan              print the schedule and end
  --list              print the kinds of faults and end
  --logs DIRECTORY    keep what every process wrote there
  --no-install        install nothing; say what is missing instead
  --no-build          what was built before is up to date; else Nx brings it up to date first
  --help              this text

Ctrl-C stops everything and removes it; the verifier is left out then.
`;

export interface FaultOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly rate: number;
  readonly kinds: readonly KindName[];
  /** Nodes of the broker. */
  readonly nodes: number;
  readonly planOnly: boolean;
  readonly logs: string | undefined;
  readonly allowInstall: boolean;
  readonly build: boolean;
}

/** Wrong use of the command line; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads the command line; `help` and `list` where it asks for them. Throws {@link UsageError}. */
export function parseOptions(argv: readonly string[]): FaultOptions | 'help' | 'list' {
  const values = read(argv);
  if (values.help) return 'help';
  if (values.list) return 'list';
  const nodes = whole('cluster', values.cluster ?? '1', { min: 1, max: 5 });
  if (nodes % 2 === 0)
    throw new UsageError(`--cluster is ${nodes}; allowed: 1, 3, 5 (an even number has no more majority)`);
  return {
    seed: whole('seed', values.seed ?? '1', { min: 0, max: 4_294_967_295 }),
    seconds: duration(values.for ?? '60s'),
    rate: whole('rate', values.rate ?? '30', { min: 1, max: 5_000 }),
    kinds: kindsOf(values.only, nodes > 1),
    nodes,
    planOnly: values.plan === true,
    logs: values.logs,
    allowInstall: values['no-install'] !== true,
    build: values['no-build'] !== true,
  };
}

function kindsOf(only: string | undefined, cluster: boolean): KindName[] {
  const possible = kindsFor({ cluster });
  if (only === undefined) return possible;
  return only.split(',').map((name) => {
    const kind = possible.find((known) => known === name);
    if (kind !== undefined) return kind;
    throw new UsageError(
      Object.hasOwn(KINDS, name)
        ? `--only ${name} needs a cluster: add --cluster=3`
        : `--only names ${JSON.stringify(name)}; allowed: ${possible.join(', ')}`,
    );
  });
}

function whole(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} is ${text}; allowed: a whole number from ${min} to ${max}`);
}

function duration(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  const seconds = match ? Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'] : 0;
  if (seconds >= 10 && seconds <= 86_400) return seconds;
  throw new UsageError(`--for is ${text}; allowed: 10s to 24h, such as 60s, 5m, 1h`);
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        seed: { type: 'string' },
        for: { type: 'string' },
        rate: { type: 'string' },
        only: { type: 'string' },
        cluster: { type: 'string' },
        plan: { type: 'boolean' },
        list: { type: 'boolean' },
        logs: { type: 'string' },
        'no-install': { type: 'boolean' },
        'no-build': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
