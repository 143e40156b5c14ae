// A consumer that ends itself with SIGKILL where DIE says. Not a test: inbox.spec.ts starts it.
import { Database } from '@keelson/persistence';
import { inboxMigrations, Messaging, outboxMigrations } from '../src/index.ts';
import { catalogue, orderPlaced } from './messages.ts';

const variable = (name: string): string => process.env[name] ?? '';
const die = (): void => void process.kill(process.pid, 'SIGKILL');

const database = await Database.open({
  url: variable('DATABASE_URL'),
  name: 'killed',
  migrations: [...outboxMigrations, ...inboxMigrations],
});
const messaging = await Messaging.connect({
  url: variable('AMQP_URL'),
  service: 'killed',
  catalogue,
  database,
  exchange: variable('EXCHANGE') || undefined,
});
await messaging.subscribe({
  queue: variable('QUEUE'),
  messages: [orderPlaced],
  retry: { attempts: 1 },
  handler: async (message, { tx }) => {
    if (variable('DIE') === 'in-handler') die();
    await tx?.execute('insert into effect values ($1)', [message.id]);
    if (variable('DIE') === 'after-commit') tx?.afterCommit(die);
  },
});
await messaging.settled();
process.stdout.write('idle\n');
