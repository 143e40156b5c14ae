import { catalogue, EXCHANGE, type MessageDefinition } from '@keelson/contracts';
import { connect, type ConfirmChannel, type ConsumeMessage, type Options } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Place } from '../place/place.ts';
import { dice } from '../schedule/seeded.ts';
import type { CarryOut } from './carry-out.ts';

/** Starts the id of each message of ours that must end in a parking lot. */
export const POISON = 'poison-';

/** Listens for a while to everything that order-demo publishes, then says it again: shuffled, and each under a new id, too. */
export const repeatMessages: CarryOut = async ({ place, fault, say }) => {
  const heard: ConsumeMessage[] = [];
  const messages = await withChannel(place, async (channel) => {
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, EXCHANGE, '#');
    await channel.consume(queue, (message) => message && heard.push(message), { noAck: true });
    await pause(fault.outageMs);
    // Its own would be heard again.
    await channel.deleteQueue(queue);
    const random = dice(fault.seed);
    const again = heard.filter((message) => message.content.length > 0 && !idOf(message).startsWith(POISON));
    for (const message of random.shuffled([...again, ...again])) {
      const id = random.next() < 0.5 ? idOf(message) : randomUUID();
      const headers = { ...message.properties.headers, 'cloudEvents:id': id };
      publish(channel, message.fields.routingKey, message.content, { ...message.properties, messageId: id, headers });
    }
    await channel.waitForConfirms();
    return again.length;
  });
  say(`${messages} messages published twice more each, in another order, under old and new ids`);
};

/** Bodies that break the contract of each message, in every way that one can be broken. */
const POISONS: readonly ((definition: MessageDefinition) => { body: Buffer; type?: string })[] = [
  () => ({ body: Buffer.from('not JSON at all') }),
  () => ({ body: Buffer.alloc(0) }),
  () => ({ body: Buffer.from('{"orderId":7}') }),
  () => ({ body: Buffer.from([0xff, 0xfe, 0x00, 0x80]) }),
  () => ({ body: Buffer.from(JSON.stringify('['.repeat(50_000))) }),
  ({ name }) => ({ body: Buffer.from('{}'), type: `dev.keelson.${name}.v99` }),
];

export const poisonMessages: CarryOut = async ({ place, fault, say }) => {
  const random = dice(fault.seed);
  const definitions = Object.values<MessageDefinition>(catalogue).filter(({ producer }) => producer === 'order-demo');
  const chosen = random.shuffled(definitions).slice(0, 4);
  await withChannel(place, async (channel) => {
    for (const definition of chosen) {
      for (const make of POISONS) {
        const { body, type = definition.type } = make(definition);
        const id = `${POISON}${randomUUID()}`;
        publish(channel, definition.routingKey, body, {
          messageId: id,
          contentType: 'application/json',
          headers: { 'cloudEvents:specversion': '1.0', 'cloudEvents:id': id, 'cloudEvents:type': type },
        });
      }
    }
    await channel.waitForConfirms();
  });
  say(`${chosen.length * POISONS.length} poison messages, as ${chosen.map(({ routingKey }) => routingKey).join(', ')}`);
};

const idOf = ({ properties }: ConsumeMessage): string =>
  String(properties.headers?.['cloudEvents:id'] ?? properties.messageId ?? '');

function publish(channel: ConfirmChannel, key: string, body: Buffer, options: Options.Publish): void {
  channel.publish(EXCHANGE, key, body, { ...options, persistent: true });
}

/** A channel to the first node that takes a connection, straight: past the proxies. */
export async function withChannel<T>(place: Place, work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const { amqpUrl } of place.broker.nodes) {
    const connection = await connect(amqpUrl).catch((error: unknown) => void (last = error));
    if (!connection) continue;
    connection.on('error', () => undefined); // the call under way fails, and says so
    try {
      return await work(await connection.createConfirmChannel());
    } finally {
      await connection.close().catch(() => undefined); // lost already
    }
  }
  throw last;
}
