import { queueCatalogue } from '@keelson/contracts';
import { QUEUES, REQUEST_QUEUES } from './queues.ts';

const catalogued = queueCatalogue.filter(({ service }) => service === 'order-demo');
const plan = (queues: readonly { queue: string; messages: readonly { routingKey: string }[]; priorities?: string }[]) =>
  Object.fromEntries(
    queues.map(({ queue, messages, priorities }) => [
      queue,
      { messages: messages.map(({ routingKey }) => routingKey).sort(), priorities },
    ]),
  );

test('the catalogue of queues, which tools work with, has exactly the queues and messages of order-demo', () => {
  expect(plan(catalogued.filter((queue) => queue.kind === undefined))).toEqual(plan(QUEUES));
});

test('the catalogue has the queue in which requests wait, too', () => {
  expect(catalogued.filter(({ kind }) => kind === 'requests')).toEqual(
    REQUEST_QUEUES.map((queue) => ({ service: 'order-demo', ...queue })),
  );
});
