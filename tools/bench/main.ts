// npm run bench -- NAME [--json]: figures of the hot paths, each against a raw limit measured in the same run.
import { buildProjects } from '@keelson/testing';
import { machineLines, printJson, printTable, type Figure } from './figures.ts';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Each takes the place that it may use and gives its figures. */
const benches = {
  'order-accept': async () => (await import('./benches/order-accept.ts')).orderAccept(root),
  overload: async () => (await import('./benches/overload.ts')).overload(root),
  backlog: async () => (await import('./benches/backlog.ts')).backlog(root, { orders: ordersOf(process.argv) }),
  soak: async () => (await import('./benches/soak.ts')).soak(root, { seconds: secondsOf(process.argv) }),
  'sync-vs-async': async () => (await import('./benches/sync-vs-async.ts')).syncVsAsync(root),
  outbox: async () => (await import('./benches/outbox.ts')).outbox(root),
  messaging: async () => (await import('./benches/messaging.ts')).messaging(root),
  sign: async () => (await import('./benches/sign.ts')).sign(root),
  relay: async () => (await import('./benches/relay.ts')).relay(root),
} satisfies Record<string, () => Promise<Figure[]>>;

const HELP = `usage: npm run bench -- NAME... [--json]

  order-accept  POST /v1/orders, durable, outbox included, against one-insert transactions of the same PostgreSQL
  overload      ten times as many orders as can be accepted: accepted, refused, latency, and right afterwards
  backlog       100,000 paid orders drained, by the library and by a role, against raw amqplib; memory meanwhile
  soak          published and consumed as fast as it goes for a minute: does memory stay flat
  sync-vs-async the same orders with and without the queue: quick, with SMS slow or refused, with the payment provider down
  outbox        outbox rows to consumers, against raw amqplib; end-to-end latency
  messaging     publish with confirms at four windows, consume with and without inbox, against raw amqplib
  sign          CSR to certificate in the database over HTTP, against one-insert transactions of the same PostgreSQL
  relay         events in to sink, against raw HTTP requests to the same receiver
  all           each of them

PostgreSQL runs with durable settings. Each figure is one line: name, value, unit, what it is compared with, ratio.
--json prints one object a line. --orders=N is how many backlog drains; --seconds=N is how long soak takes;
--full is a million orders and ten minutes.
`;

function ordersOf(argv: readonly string[]): number {
  const given = argv.find((argument) => argument.startsWith('--orders='))?.slice('--orders='.length);
  const orders = argv.includes('--full') ? 1_000_000 : Number(given ?? 100_000);
  if (Number.isInteger(orders) && orders >= 1_000 && orders <= 10_000_000) return orders;
  throw new Error(`--orders is ${given}; allowed: a whole number from 1000 to 10000000`);
}

function secondsOf(argv: readonly string[]): number {
  const given = argv.find((argument) => argument.startsWith('--seconds='))?.slice('--seconds='.length);
  const seconds = argv.includes('--full') ? 600 : Number(given ?? 60);
  if (Number.isInteger(seconds) && seconds >= 10 && seconds <= 86_400) return seconds;
  throw new Error(`--seconds is ${given}; allowed: a whole number from 10 to 86400`);
}

const json = process.argv.includes('--json');
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = names.includes('all') ? Object.keys(benches) : names;
const unknown = wanted.find((name) => !Object.hasOwn(benches, name));
if (process.argv.includes('--help') || wanted.length === 0 || unknown !== undefined) {
  const out = unknown === undefined && wanted.length > 0 ? process.stdout : process.stderr;
  out.write(`${unknown === undefined ? '' : `there is no benchmark "${unknown}"\n\n`}${HELP}`);
  process.exit(process.argv.includes('--help') ? 0 : 2);
}
await buildProjects(root, { only: ['--exclude=console'] });
if (!json) for (const line of machineLines()) process.stdout.write(`${line}\n`);
for (const name of wanted) {
  if (!json) process.stderr.write(`\n${name} ...\n`);
  const figures = await benches[name as keyof typeof benches]();
  if (json) printJson(figures);
  else printTable(figures);
}
process.exit(0);
