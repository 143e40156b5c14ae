import type { MessageDefinition, Payload } from '@keelson/contracts';

/** A message as its handler sees it: validated, with the attributes that identify it. */
export interface Received<M extends MessageDefinition = MessageDefinition> {
  readonly definition: M;
  /** Tells several messages of one subscription apart: `message.name === 'order.accepted'` narrows the payload. */
  readonly name: M['name'];
  /** Of the payload as it is here, after lifting; `type` says what was published. */
  readonly version: M['version'];
  readonly payload: Payload<M>;
  /** CloudEvents id: the same however often it is delivered or sent again. */
  readonly id: string;
  /** The service that published it. */
  readonly source: string;
  readonly type: string;
  readonly time: Date;
  readonly subject?: string;
  readonly key?: string;
  /** `<name>.v<n>`: the key it was first published under. */
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  /** W3C trace context of the sender: for what a batch writes on behalf of one of its messages. */
  readonly traceparent?: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** {@link Received} of each of several messages, as a union to be told apart by `name`, or by `version`. */
export type ReceivedOf<M extends MessageDefinition> = M extends MessageDefinition ? Received<M> : never;
