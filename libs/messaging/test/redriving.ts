// Sends parked messages again in a process of its own, to be killed. Not a test: redrive-killed.spec.ts starts it.
import { Messaging, parkingLot } from '../src/index.ts';
import { catalogue } from './messages.ts';

const variable = (name: string): string => process.env[name] ?? '';

const messaging = await Messaging.connect({
  url: variable('AMQP_URL'),
  service: 'redriving',
  catalogue,
  exchange: variable('EXCHANGE'),
});
await parkingLot.redrive(messaging, variable('QUEUE'), { ratePerSecond: 60 });
await messaging.close();
