import { EXCHANGE } from '../catalogue.ts';
import { problemSchema } from '../http/problem.ts';
import type { MessageDefinition } from '../messages/message.ts';
import { queueCatalogue, type QueueDefinition } from '../messages/queues.ts';
import type { RequestDefinition } from '../messages/request.ts';
import { SchemaCollector } from './json-schema.ts';

export type AsyncApiDocument = Record<string, unknown> & { readonly operations: Record<string, unknown> };

/** CloudEvents 1.0 attributes as AMQP headers (binary mode, AMQP protocol binding 1.0.2). */
const cloudEventHeaders = {
  type: 'object',
  required: ['cloudEvents:id', 'cloudEvents:source', 'cloudEvents:specversion', 'cloudEvents:type'],
  properties: {
    'cloudEvents:id': { type: 'string', description: 'Unique within the source; the inbox knows it by this' },
    'cloudEvents:source': { type: 'string', format: 'uri-reference' },
    'cloudEvents:specversion': { const: '1.0' },
    'cloudEvents:type': { type: 'string' },
    'cloudEvents:time': { type: 'string', format: 'date-time' },
    traceparent: { type: 'string', description: 'W3C Trace Context' },
  },
};

/** Beside those of every message: how the request went. */
const replyHeaders = {
  allOf: [
    { $ref: '#/components/schemas/CloudEventHeaders' },
    {
      type: 'object',
      required: ['keelson-outcome'],
      properties: { 'keelson-outcome': { enum: ['ok', 'problem'] } },
    },
  ],
};

/**
 * The one AsyncAPI 3.0 document of the platform: every message, who sends it, where it travels, which queues receive it,
 * and what a request is answered with.
 */
export function asyncApiDocument(
  catalogue: Readonly<Record<string, MessageDefinition>>,
  { version = '1.0.0', queues = queueCatalogue }: { version?: string; queues?: readonly QueueDefinition[] } = {},
): AsyncApiDocument {
  const schemas = new SchemaCollector('#/components/schemas/');
  const definitions = Object.values(catalogue).sort((left, right) => (left.routingKey < right.routingKey ? -1 : 1));
  const requests = definitions.filter(isRequest);
  // What is asked comes last: the collector needs what comes out before what goes in.
  const messages = byName([
    ...definitions.filter((one) => !isRequest(one)).map((one) => messageOf(one, schemas.output(one.schema))),
    ...requests.flatMap((request) => repliesTo(request, schemas)),
    ...requests.map((one) => messageOf(one, schemas.input(one.schema), { correlationId })),
  ]);
  const published = Object.fromEntries(
    definitions.map(({ routingKey, summary }) => [
      routingKey,
      {
        address: routingKey,
        summary,
        messages: { [routingKey]: { $ref: `#/components/messages/${routingKey}` } },
        bindings: {
          amqp: {
            is: 'routingKey',
            exchange: { name: EXCHANGE, type: 'topic', durable: true, autoDelete: false },
            bindingVersion: '0.3.0',
          },
        },
      },
    ]),
  );
  const known = queues
    .map(({ service, queue, kind, messages: all }): Received => {
      const received = all.flatMap(withOlder).filter(({ routingKey }) => catalogue[routingKey] !== undefined);
      return { service, queue, kind, messages: [...new Set(received)] };
    })
    .filter(({ messages: received }) => received.length > 0);
  const channels = {
    ...published,
    ...Object.fromEntries(requests.map((request) => [`reply.${request.routingKey}`, replyChannel(request)])),
    ...Object.fromEntries(known.map((queue) => [`queue.${queue.queue}`, queueChannel(queue)])),
  };
  const sent = Object.fromEntries(
    definitions.map((definition) => {
      const { routingKey, producer, summary } = definition;
      return [
        `send.${routingKey}`,
        {
          action: 'send',
          channel: { $ref: `#/channels/${routingKey}` },
          summary,
          tags: [{ name: producer }],
          messages: [{ $ref: `#/channels/${routingKey}/messages/${routingKey}` }],
          bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: '0.3.0' } },
          ...(isRequest(definition) ? { reply: replyOf(definition) } : {}),
        },
      ];
    }),
  );
  const operations = {
    ...sent,
    ...Object.fromEntries(known.map((queue) => [`receive.${queue.queue}`, receiving(queue)])),
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Keelson messages',
      version,
      description:
        'Messages travel over one topic exchange as CloudEvents 1.0 in binary mode. A change that would break a consumer gets a new version: another routing key.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: {
      messages,
      schemas: { CloudEventHeaders: cloudEventHeaders, ReplyHeaders: replyHeaders, ...schemas.components() },
    },
  };
}

const byName = (entries: readonly (readonly [string, object])[]): Record<string, object> =>
  Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));

const messageOf = (definition: MessageDefinition, payload: object, more: object = {}) =>
  [
    definition.routingKey,
    {
      name: definition.type,
      title: definition.name,
      summary: definition.summary,
      contentType: 'application/json',
      headers: { $ref: '#/components/schemas/CloudEventHeaders' },
      payload,
      ...more,
    },
  ] as const;

const isRequest = (definition: MessageDefinition): definition is RequestDefinition => 'reply' in definition;

const correlationId = {
  location: '$message.header#/correlationId',
  description: 'AMQP property `correlation-id`: that of the request, and again of its reply',
};

/** A reply has the type of its request with `.reply`, also where it is a problem. */
function repliesTo({ routingKey, type, name, reply }: RequestDefinition, schemas: SchemaCollector): [string, object][] {
  const message = (title: string, summary: string, payload: object) => ({
    name: `${type}.reply`,
    title,
    summary,
    contentType: 'application/json',
    correlationId,
    headers: { $ref: '#/components/schemas/ReplyHeaders' },
    payload,
  });
  return [
    [`${routingKey}.reply`, message(`${name} answered`, 'What was asked for', schemas.output(reply))],
    [
      `${routingKey}.problem`,
      message(`${name} refused`, 'Why there is no answer: a problem of RFC 9457', schemas.output(problemSchema)),
    ],
  ];
}

const replyChannel = ({ routingKey }: RequestDefinition) => ({
  address: null,
  summary: `Replies to ${routingKey}, on a queue of the process that asked`,
  messages: Object.fromEntries(
    [`${routingKey}.reply`, `${routingKey}.problem`].map((name) => [name, { $ref: `#/components/messages/${name}` }]),
  ),
  bindings: {
    amqp: { is: 'queue', queue: { durable: false, exclusive: true, autoDelete: true }, bindingVersion: '0.3.0' },
  },
});

const replyOf = ({ routingKey }: RequestDefinition) => ({
  address: { location: '$message.header#/replyTo', description: 'AMQP property `reply-to` of the request' },
  channel: { $ref: `#/channels/reply.${routingKey}` },
});

/** Who takes a version takes those, too, that can be lifted to it. */
const withOlder = (message: MessageDefinition): MessageDefinition[] =>
  message.upcast === undefined ? [message] : [message, ...withOlder(message.upcast.from)];

/** A queue with those of its messages that the document has. */
interface Received extends Pick<QueueDefinition, 'service' | 'queue' | 'kind'> {
  readonly messages: readonly MessageDefinition[];
}

const queueChannel = ({ queue, messages }: Received) => ({
  address: queue,
  messages: Object.fromEntries(
    messages.map(({ routingKey }) => [routingKey, { $ref: `#/components/messages/${routingKey}` }]),
  ),
  bindings: {
    amqp: {
      is: 'queue',
      queue: { name: queue, durable: true, exclusive: false, autoDelete: false },
      bindingVersion: '0.3.0',
    },
  },
});

const receiving = ({ queue, service, kind = 'events', messages }: Received) => ({
  action: 'receive',
  channel: { $ref: `#/channels/queue.${queue}` },
  summary: RECEIVES[kind],
  tags: [{ name: service }],
  messages: messages.map(({ routingKey }) => ({ $ref: `#/channels/queue.${queue}/messages/${routingKey}` })),
  bindings: { amqp: { ack: true, bindingVersion: '0.3.0' } },
  ...(messages.length === 1 && messages.every(isRequest) ? { reply: replyOf(messages[0]!) } : {}),
});

const RECEIVES = {
  events: 'Each message is handled by one of the processes of the service',
  requests: 'Each request is answered by one of the processes of the service',
  stream: 'Each message is handled by every process of the service',
} as const;
