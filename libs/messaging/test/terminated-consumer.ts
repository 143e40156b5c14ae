// A consumer whose handlers wait for a line on standard input, and which closes on SIGTERM. Not a test: shutdown.spec.ts
// starts it.
import { once } from 'node:events';
import { Messaging } from '../src/index.ts';
import { catalogue, orderPlaced } from './messages.ts';

const variable = (name: string): string => process.env[name] ?? '';

const messaging = await Messaging.connect({
  url: variable('AMQP_URL'),
  service: 'terminated',
  catalogue,
  exchange: variable('EXCHANGE'),
});
const told = once(process.stdin, 'data');
await messaging.subscribe({
  queue: variable('QUEUE'),
  messages: [orderPlaced],
  concurrency: 2,
  prefetch: 10,
  handler: async ({ id }) => {
    process.stdout.write(`began ${id}\n`);
    await told;
    process.stdout.write(`ended ${id}\n`);
  },
});
process.once('SIGTERM', () => void messaging.close().then(() => process.exit(0)));
