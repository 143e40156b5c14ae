import type { z } from 'zod';

/**
 * One message that travels over RabbitMQ. Its routing key is `<name>.v<version>` and its CloudEvents type
 * `dev.keelson.<name>.v<version>`, so that two versions of a message live side by side as two keys.
 */
export interface MessageDefinition<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Version extends number = number,
> {
  /** Dotted, lower case: `<aggregate>.<past-tense verb>`, for example `order.accepted`. */
  readonly name: Name;
  /** Raised only when a change would break a consumer; additive changes keep it. */
  readonly version: Version;
  /** `<name>.v<version>`: the AMQP routing key on the topic exchange. */
  readonly routingKey: string;
  /** `dev.keelson.<name>.v<version>`: the CloudEvents `type` attribute. */
  readonly type: string;
  /** The service that publishes it: nobody else may. */
  readonly producer: string;
  /** One sentence for the AsyncAPI document. */
  readonly summary: string;
  readonly schema: Schema;
  /** How the version before becomes this one: who subscribes to this one gets both, as this one. */
  readonly upcast?: Upcast;
}

/** From an older version of a message to the next: what an event store calls an upcaster. */
export interface Upcast {
  readonly from: MessageDefinition;
  /** From a payload of `from`, validated, to one that the newer schema takes. */
  readonly lift: (payload: never) => unknown;
}

/** The payload of a message after validation. */
export type Payload<M extends MessageDefinition> = z.output<M['schema']>;

/**
 * Defines a message; see {@link MessageDefinition} for what each field means. Throws where `upcast` leads from
 * another message or from a version that is not older.
 */
export function defineMessage<
  Name extends string,
  Schema extends z.ZodType,
  const Version extends number,
  From extends MessageDefinition = MessageDefinition,
>(definition: {
  name: Name;
  version: Version;
  producer: string;
  summary: string;
  schema: Schema;
  upcast?: { from: From; lift: (payload: Payload<From>) => z.input<Schema> };
}): MessageDefinition<Name, Schema, Version> {
  const key = `${definition.name}.v${definition.version}`;
  const from = definition.upcast?.from;
  if (from !== undefined && (from.name !== definition.name || from.version >= definition.version)) {
    throw new TypeError(
      `message ${key}: upcast.from is ${from.routingKey}; it has to be an older version of ${definition.name}`,
    );
  }
  return Object.freeze({ ...definition, routingKey: key, type: `dev.keelson.${key}` });
}
