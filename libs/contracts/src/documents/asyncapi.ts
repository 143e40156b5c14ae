import { EXCHANGE } from '../catalogue.ts';
import type { MessageDefinition } from '../messages/message.ts';
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

/** The one AsyncAPI 3.0 document of the platform: every message, who sends it, and where it travels. */
export function asyncApiDocument(
  catalogue: Readonly<Record<string, MessageDefinition>>,
  version = '1.0.0',
): AsyncApiDocument {
  const schemas = new SchemaCollector('#/components/schemas/');
  const definitions = Object.values(catalogue).sort((left, right) => (left.routingKey < right.routingKey ? -1 : 1));
  const messages = Object.fromEntries(
    definitions.map((definition) => [
      definition.routingKey,
      {
        name: definition.type,
        title: definition.name,
        summary: definition.summary,
        contentType: 'application/json',
        headers: { $ref: '#/components/schemas/CloudEventHeaders' },
        payload: schemas.output(definition.schema),
      },
    ]),
  );
  const channels = Object.fromEntries(
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
  const operations = Object.fromEntries(
    definitions.map(({ routingKey, producer, summary }) => [
      `send.${routingKey}`,
      {
        action: 'send',
        channel: { $ref: `#/channels/${routingKey}` },
        summary,
        tags: [{ name: producer }],
        messages: [{ $ref: `#/channels/${routingKey}/messages/${routingKey}` }],
        bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: '0.3.0' } },
      },
    ]),
  );
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
    components: { messages, schemas: { CloudEventHeaders: cloudEventHeaders, ...schemas.components() } },
  };
}
