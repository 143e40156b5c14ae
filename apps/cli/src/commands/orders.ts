import type { Order } from '@keelson/contracts';
import { Option, type Command } from 'commander';
import { writeFileSync } from 'node:fs';
import type { Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { age } from '../output/age.ts';
import type { Column } from '../output/table.ts';
import { parseCount } from './events.ts';
import { addOrdersLoad } from './orders-load.ts';
import { addOrdersVerify } from './orders-verify.ts';

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
    .command('invoice')
    .description('the invoice of an order as PDF; to a file, or to stdout where that is no terminal')
    .argument('<id>')
    .option('-O, --out <path>', 'write it there')
    .action(
      run(async ({ settings, print }, options: { out?: string }, id: string) => {
        if (options.out === undefined && process.stdout.isTTY) {
          throw new Failure('a PDF is nothing for a terminal; name a file with --out', EXIT.usage);
        }
        const pdf = await settings.client('order-demo').getInvoice({ params: { id } });
        if (options.out === undefined) {
          process.stdout.write(pdf);
          return;
        }
        writeFileSync(options.out, pdf);
        print.say(`wrote ${pdf.length} bytes to ${options.out}`);
      }),
    );

  addOrdersLoad(orders, run);
  addOrdersVerify(orders, run);
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
