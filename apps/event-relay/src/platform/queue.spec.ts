import { queueCatalogue } from '@keelson/contracts';
import { platformMessages } from './platform-entry.ts';

test('the catalogue of queues, which tools work with, has exactly the messages of event-relay', () => {
  const keys = (messages: readonly { routingKey: string }[]) => messages.map(({ routingKey }) => routingKey).sort();
  const own = queueCatalogue.filter(({ service }) => service === 'event-relay');
  expect(own.map(({ queue }) => queue)).toEqual(['event-relay.platform']);
  expect(keys(own[0]!.messages)).toEqual(keys(platformMessages));
});
