/** What every error of this library has: a stable code to switch on. */
export abstract class MessagingError extends Error {
  abstract readonly code: string;
}

/** No queue is bound to the routing key: nobody would have received the message. It was not kept. */
export class UnroutableError extends MessagingError {
  override readonly name = 'UnroutableError';
  readonly code = 'unroutable';
  readonly exchange: string;
  readonly routingKey: string;
  readonly hint: string;

  constructor(exchange: string, routingKey: string) {
    const hint =
      exchange === ''
        ? `there is no queue named "${routingKey}"`
        : `no queue is bound to exchange "${exchange}" for "${routingKey}". Start a consumer that subscribes to it once ` +
          '(its queue stays), or publish with mandatory: false when having no receiver is fine';
    super(`message ${routingKey} reached no queue: ${hint}`);
    this.exchange = exchange;
    this.routingKey = routingKey;
    this.hint = hint;
  }
}

/** The broker refused the message (a full queue, most often). It was not kept; publish it again later. */
export class PublishRejectedError extends MessagingError {
  override readonly name = 'PublishRejectedError';
  readonly code = 'rejected';
  readonly retryAfterMs = 1_000;

  constructor(routingKey: string) {
    super(
      `the broker refused ${routingKey}: a queue it goes to is full (overflow reject-publish) or has no leader. Publish it again later.`,
    );
  }
}

/** Nobody can say whether the broker has the message: the connection or the deadline ended before its answer. */
export class PublishUncertainError extends MessagingError {
  override readonly name = 'PublishUncertainError';
  readonly code = 'uncertain';
  /** False when the message certainly never left this process. */
  readonly mayHaveBeenDelivered: boolean;

  constructor(routingKey: string, why: string, mayHaveBeenDelivered: boolean) {
    super(
      `${routingKey} was not confirmed: ${why}. ` +
        (mayHaveBeenDelivered
          ? 'It may have been delivered: publish it again with the same id, and let the receivers inbox drop a double.'
          : 'It never left this process: publish it again.'),
    );
    this.mayHaveBeenDelivered = mayHaveBeenDelivered;
  }
}

/** The broker takes no messages (memory or disk alarm), and did not take them again before the deadline. */
export class BrokerBlockedError extends MessagingError {
  override readonly name = 'BrokerBlockedError';
  readonly code = 'blocked';
  readonly reason: string;
  readonly mayHaveBeenDelivered: boolean;

  constructor(routingKey: string, reason: string, mayHaveBeenDelivered: boolean) {
    super(`${routingKey} was not accepted before its deadline: the broker blocks publishers (${reason}).`);
    this.reason = reason;
    this.mayHaveBeenDelivered = mayHaveBeenDelivered;
  }
}

/** More messages wait for the broker than this process may hold. */
export class PublishBufferFullError extends MessagingError {
  override readonly name = 'PublishBufferFullError';
  readonly code = 'buffer-full';
}

/** The payload does not fit the message's schema. */
export class InvalidMessageError extends MessagingError {
  override readonly name = 'InvalidMessageError';
  readonly code = 'invalid-message';
  /** One line for each fault: where, and what is wrong. */
  readonly issues: readonly string[];

  constructor(routingKey: string, issues: readonly string[]) {
    super(`payload of ${routingKey} is invalid: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

/** The encoded payload is larger than the limit. */
export class MessageTooLargeError extends MessagingError {
  override readonly name = 'MessageTooLargeError';
  readonly code = 'too-large';

  constructor(routingKey: string, bytes: number, limitBytes: number) {
    super(
      `payload of ${routingKey} has ${bytes} bytes; allowed are ${limitBytes}. ` +
        'Store the content elsewhere and send a reference to it, or raise maxMessageBytes on both sides.',
    );
  }
}

/** The broker refuses us for good: wrong credentials, no permission, unknown virtual host. */
export class BrokerAccessError extends MessagingError {
  override readonly name = 'BrokerAccessError';
  readonly code = 'access-refused';
}

/** An exchange or queue exists with other properties than the ones this program needs. */
export class TopologyMismatchError extends MessagingError {
  override readonly name = 'TopologyMismatchError';
  readonly code = 'topology-mismatch';
}

/** The broker is too old for what was asked of it. */
export class UnsupportedByBrokerError extends MessagingError {
  override readonly name = 'UnsupportedByBrokerError';
  readonly code = 'unsupported';
}

/** No reply came before the deadline, or the connection that it would have come by was lost. */
export class NoReplyError extends MessagingError {
  override readonly name = 'NoReplyError';
  readonly code = 'no-reply';
  /** False when the request certainly reached no server. */
  readonly mayHaveBeenHandled: boolean;

  constructor(routingKey: string, why: string, mayHaveBeenHandled: boolean) {
    super(
      `request ${routingKey} was not answered: ${why}. ${mayHaveBeenHandled ? 'It may have been handled.' : ''}`.trim(),
    );
    this.mayHaveBeenHandled = mayHaveBeenHandled;
  }
}

/** A reply came that does not fit its schema: the two sides have different versions of the contract. */
export class InvalidReplyError extends MessagingError {
  override readonly name = 'InvalidReplyError';
  readonly code = 'invalid-reply';

  constructor(routingKey: string, issues: string) {
    super(`the reply to ${routingKey} does not fit its schema: ${issues}`);
  }
}

/** This Messaging was closed. */
export class ClosedError extends MessagingError {
  override readonly name = 'ClosedError';
  readonly code = 'closed';
}
