import type { MessageDefinition, Payload } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import type { Messaging } from '../messaging.ts';
import type { PublishOptions } from '../options.ts';
import { outbox, type OutboxOptions } from '../outbox/outbox.ts';
import { schedule, type ScheduleOptions } from '../schedule/schedule.ts';

/** Publishes one message and nothing else: what a feature module declares that it sends. */
export class MessagePublisher<M extends MessageDefinition> {
  readonly definition: M;
  readonly #messaging: Messaging;

  constructor(messaging: Messaging, definition: M) {
    this.#messaging = messaging;
    this.definition = definition;
  }

  /** As Messaging.publish. */
  publish(payload: Payload<M>, options?: PublishOptions): Promise<void> {
    return this.#messaging.publish(this.definition, payload, options);
  }

  /** As outbox(). */
  outbox(tx: Tx, payload: Payload<M>, options: OutboxOptions): Promise<void> {
    return outbox(tx, this.definition, payload, options);
  }

  /** As schedule(). */
  schedule(tx: Tx, payload: Payload<M>, options: ScheduleOptions): Promise<string> {
    return schedule(tx, this.definition, payload, options);
  }
}
