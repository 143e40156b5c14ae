// Moves due messages into the outbox, one at a time, until it is killed.
import { Database } from '@keelson/persistence';
import { inboxMigrations, Messaging, outboxMigrations, scheduleMigrations } from '../src/index.ts';
import { catalogue } from './messages.ts';

const database = await Database.open({
  url: process.env['DATABASE_URL'] ?? '',
  name: 'killed-scheduler',
  migrations: [...outboxMigrations, ...inboxMigrations, ...scheduleMigrations],
});
const messaging = await Messaging.connect({ url: process.env['AMQP_URL'] ?? '', service: 'test', catalogue, database });
await messaging.startScheduler({ batch: 1 });
