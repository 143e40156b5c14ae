// An outbox relay in a process of its own, to be killed. Not a test: outbox-faults.spec.ts starts it.
import { Database } from '@keelson/persistence';
import { inboxMigrations, Messaging, outboxMigrations } from '../src/index.ts';
import { catalogue } from './messages.ts';

const variable = (name: string): string => process.env[name] ?? '';

const database = await Database.open({
  url: variable('DATABASE_URL'),
  name: 'relay',
  migrations: [...outboxMigrations, ...inboxMigrations],
});
const messaging = await Messaging.connect({
  url: variable('AMQP_URL'),
  service: 'relay',
  catalogue,
  database,
  exchange: variable('EXCHANGE'),
});
await messaging.startOutboxRelay({ batch: 300, lanes: 1 });
