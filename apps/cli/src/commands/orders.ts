import { ordersApi, type Order } from '@keelson/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { request } from 'undici';
import type { Context, Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { runLoad, type LoadState } from '../load/open-model.ts';
import { age } from '../output/age.ts';
import type { Column } from '../output/table.ts';
import { parseDuration } from './cert.ts';
import { parseCount } from './events.ts';

/** `keelson orders ...` */
export function addOrders(program: Command, run: Run): void {
  const orders = program.command('orders').description('the reference workload');

  orders
    .command('list')
    .description('orders, newest first')
    .addOption(new Option('--status <status>').choices(['accepted', 'confirmed', 'compensated']))
    .option('--limit <n>', 'rows', parseCount, 50)
    .action(
      run(async ({ settings, print, now }, options: { status?: Order['status']; limit: number }) => {
        const page = await settings.client('order-demo').listOrders({ query: options });
        print.rows(page.items, { columns: columns(now()), name: (row) => row.id, empty: 'no orders' });
      }),
    );

  orders
    .command('get')
    .description('one order with the time of each step')
    .argument('<id>')
    .action(
      run(async ({ settings, print }, _options: object, id: string) => {
        const order = await settings.client('order-demo').getOrder({ params: { id } });
        const lines = [
          `${order.documentNumber}  ${order.status}  ${order.customer}  accepted by ${order.acceptedBy}`,
          ...order.history.map(
            (step) => `  ${step.at}  ${step.step}${step.detail === undefined ? '' : `  ${step.detail}`}`,
          ),
        ];
        print.object(order, { text: lines.join('\n'), name: order.id });
      }),
    );

  orders
    .command('load')
    .description('place orders at a fixed rate, whatever the answers (open model)')
    .option('--rate <n>', 'orders a second', parseRate, 50)
    .option('--for <duration>', 'such as 30s or 5m', parseDuration, 30)
    .option('--max-in-flight <n>', 'most requests under way', parseCount, 2_000)
    .action(run((context, options: { rate: number; for: number; maxInFlight: number }) => load(context, options)));

  orders
    .command('verify')
    .description(
      'name every order that is lost, doubled or stuck, and stock that does not add up; exit code 1 where there is one',
    )
    .option('--grace <duration>', 'how long an order may take', parseDuration, 30)
    .action(
      run(async ({ settings, print }, options: { grace: number }) => {
        const verdict = await settings.client('order-demo').verifyOrders({ query: { graceSeconds: options.grace } });
        const faults = (['lost', 'doubled', 'stuck', 'negative'] as const).flatMap((kind) =>
          verdict[kind].map((id) => `  ${kind.padEnd(8)} ${id}`),
        );
        const text = [
          `accepted ${verdict.accepted}, confirmed ${verdict.confirmed}, compensated ${verdict.compensated}, ` +
            `lost ${verdict.lost.length}, doubled ${verdict.doubled.length}, stuck ${verdict.stuck.length}, negative ${verdict.negative.length}`,
          ...faults,
        ].join('\n');
        print.object(verdict, { text, name: verdict.ok ? 'ok' : 'faulty' });
        if (!verdict.ok) throw new Failure(`${faults.length} faults`, EXIT.failedCheck);
      }),
    );
}

const columns = (now: Date): Column<Order>[] => [
  { title: 'number', value: (row) => row.documentNumber },
  { title: 'status', value: (row) => row.status },
  { title: 'customer', value: (row) => row.customer },
  { title: 'total', value: (row) => (row.totalCents / 100).toFixed(2) },
  { title: 'age', value: (row) => age(row.acceptedAt, now) },
  { title: 'by', value: (row) => row.acceptedBy },
  { title: 'last step', value: (row) => row.history.at(-1)?.step },
  { title: 'id', value: (row) => row.id, wide: true },
];

async function load(
  { settings, print, signal }: Context,
  options: { rate: number; for: number; maxInFlight: number },
): Promise<void> {
  const stock = await settings.client('order-demo').listStock({ query: { limit: 100 } });
  const skus = stock.items.filter((item) => item.available > 0).map((item) => item.sku);
  if (skus.length === 0) throw new Failure('nothing is in stock, so nothing can be ordered', EXIT.conflict);
  const url = new URL(ordersApi.endpoints.placeOrder.path, settings.url('order-demo'));
  const { token, agent } = settings;
  const result = await runLoad({
    rate: options.rate,
    seconds: options.for,
    maxInFlight: options.maxInFlight,
    signal,
    send: async (n) => {
      // Below the typed client: a load generator must not spend its processor on validation and retries.
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
        },
        body: JSON.stringify({
          customer: `load-${n % 1000}`,
          phone: `+4915${10_000_000 + (n % 10_000_000)}`,
          lines: [{ sku: skus[n % skus.length], quantity: 1 }],
        }),
      });
      await answer.body.dump();
      return answer.statusCode === 202 ? 'accepted' : answer.statusCode === 429 ? 'refused' : 'failed';
    },
    onProgress: (state) => print.say(summary(state)),
  });
  print.object(result, { text: summary(result), name: String(result.accepted) });
  if (result.failed > 0) throw new Failure(`${result.failed} of ${result.sent} requests failed`, EXIT.failedCheck);
}

function summary(state: LoadState): string {
  const { p50, p99, max } = state.latencyMs;
  return (
    `${state.elapsedSeconds.toFixed(0)} s: ${state.accepted} accepted, ${state.refused} refused (429), ${state.failed} failed, ${state.dropped} dropped, ` +
    `${state.inFlight} under way; p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
  );
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= 100_000)) throw new InvalidArgumentError('expected a number above 0, 100000 at most');
  return rate;
}
