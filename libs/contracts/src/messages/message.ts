import type { z } from 'zod';

/**
 * One message that travels over RabbitMQ. Its routing key is `<name>.v<version>` and its CloudEvents type
 * `dev.keelson.<name>.v<version>`, so that two versions of a message live side by side as two keys.
 */
export interface MessageDefinition<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** Dotted, lower case: `<aggregate>.<past-tense verb>`, for example `order.accepted`. */
  readonly name: Name;
  /** Raised only when a change would break a consumer; additive changes keep it. */
  readonly version: number;
  /** `<name>.v<version>`: the AMQP routing key on the topic exchange. */
  readonly routingKey: string;
  /** `dev.keelson.<name>.v<version>`: the CloudEvents `type` attribute. */
  readonly type: string;
  /** The service that publishes it: nobody else may. */
  readonly producer: string;
  /** One sentence for the AsyncAPI document. */
  readonly summary: string;
  readonly schema: Schema;
}

/** The payload of a message after validation. */
export type Payload<M extends MessageDefinition> = z.output<M['schema']>;

/** Defines a message; see {@link MessageDefinition} for what each field means. */
export function defineMessage<Name extends string, Schema extends z.ZodType>(definition: {
  name: Name;
  version: number;
  producer: string;
  summary: string;
  schema: Schema;
}): MessageDefinition<Name, Schema> {
  const key = `${definition.name}.v${definition.version}`;
  return Object.freeze({ ...definition, routingKey: key, type: `dev.keelson.${key}` });
}
