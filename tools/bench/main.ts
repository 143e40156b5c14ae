// npm run bench -- NAME [--json]: figures of the hot paths, each against a raw limit measured in the same run.
import { buildAll } from './build.ts';
import { machineLines, printJson, printTable, type Figure } from './figures.ts';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Each takes the place that it may use and gives its figures. */
const benches = {
  'order-accept': async () => (await import('./benches/order-accept.ts')).orderAccept(root),
  outbox: async () => (await import('./benches/outbox.ts')).outbox(root),
  sign: async () => (await import('./benches/sign.ts')).sign(root),
  relay: async () => (await import('./benches/relay.ts')).relay(root),
} satisfies Record<string, () => Promise<Figure[]>>;

const HELP = `usage: npm run bench -- NAME... [--json]

  order-accept  POST /v1/orders, durable, outbox included, against one-insert transactions of the same PostgreSQL
  outbox        outbox rows to consumers, against raw amqplib; end-to-end latency
  sign          CSR to certificate in the database over HTTP, against one-insert transactions of the same PostgreSQL
  relay         events in to sink, against raw HTTP requests to the same receiver
  all           each of them

PostgreSQL runs with durable settings. Each figure is one line: name, value, unit, what it is compared with, ratio.
--json prints one object a line.
`;

const json = process.argv.includes('--json');
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = names.includes('all') ? Object.keys(benches) : names;
const unknown = wanted.find((name) => !Object.hasOwn(benches, name));
if (process.argv.includes('--help') || wanted.length === 0 || unknown !== undefined) {
  const out = unknown === undefined && wanted.length > 0 ? process.stdout : process.stderr;
  out.write(`${unknown === undefined ? '' : `there is no benchmark "${unknown}"\n\n`}${HELP}`);
  process.exit(process.argv.includes('--help') ? 0 : 2);
}
await buildAll(root);
if (!json) for (const line of machineLines()) process.stdout.write(`${line}\n`);
for (const name of wanted) {
  if (!json) process.stderr.write(`\n${name} ...\n`);
  const figures = await benches[name as keyof typeof benches]();
  if (json) printJson(figures);
  else printTable(figures);
}
process.exit(0);
