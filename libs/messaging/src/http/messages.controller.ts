import { Controller, Inject } from '@nestjs/common';
import { messagesApi, type ParkedMessageView, UNCLAIMED } from '@keelson/contracts';
import {
  CallerError,
  Operation,
  type OperationInput,
  type OperationResult,
  type Principal,
} from '@keelson/service-kit';
import { InvalidMessageError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { Messaging } from '../messaging.ts';
import type { ParkedDetails, ParkedFilter, ParkedMessage } from '../parking/parked-message.ts';
import { parkingLot } from '../parking/parking-lot.ts';
import { queueStates } from '../parking/queue-states.ts';

const { listQueues, listParked, groupParked, peekParked, redriveParked, editParked, discardParked } =
  messagesApi.endpoints;

/** One call does no more than this; what is left is told by `more`, and the caller calls again. */
const CALL_LIMIT_MS = 10_000;

/** The queues of this service and their parking lots, for people. */
@Controller()
export class MessagesController {
  constructor(@Inject(Messaging) private readonly messaging: Messaging) {}

  @Operation(listQueues)
  async queues({ principal }: OperationInput<typeof listQueues>): Promise<OperationResult<typeof listQueues>> {
    this.#mayAct(principal);
    const { items, source } = await queueStates(this.messaging);
    return { items, source, readAt: new Date().toISOString() };
  }

  @Operation(listParked)
  async list({ query, principal }: OperationInput<typeof listParked>): Promise<OperationResult<typeof listParked>> {
    this.#mayAct(principal, query.queue);
    const offset = offsetOf(query.cursor);
    const options = { ...filterOf(query), offset, limit: query.limit };
    const bodies = query.bodies === 'true';
    const { items, more } = await this.#of(query.queue, () =>
      bodies
        ? parkingLot.read(this.messaging, query.queue, options)
        : parkingLot.page(this.messaging, query.queue, options),
    );
    return {
      items: items.map((message) => viewOf(query.queue, message)),
      ...(more ? { next: Buffer.from(String(offset + items.length)).toString('base64url') } : {}),
    };
  }

  @Operation(groupParked)
  async groups({ query, principal }: OperationInput<typeof groupParked>): Promise<OperationResult<typeof groupParked>> {
    this.#mayAct(principal, query.queue);
    const { groups, seen, complete } = await this.#of(query.queue, () =>
      parkingLot.groups(this.messaging, query.queue, filterOf(query)),
    );
    return { items: groups, seen, complete };
  }

  @Operation(peekParked)
  async peek({ params, principal }: OperationInput<typeof peekParked>): Promise<OperationResult<typeof peekParked>> {
    this.#mayAct(principal, params.queue);
    const found = await this.#of(params.queue, () => parkingLot.peek(this.messaging, params.queue, params.id));
    if (found === undefined) throw noMessage(params);
    return viewOf(params.queue, found);
  }

  @Operation(redriveParked)
  async redrive({
    body,
    principal,
  }: OperationInput<typeof redriveParked>): Promise<OperationResult<typeof redriveParked>> {
    this.#mayAct(principal, body.queue);
    const { queue, ids, dryRun, limit, ratePerSecond, run, stopOnFailure } = body;
    return this.#of(queue, () =>
      parkingLot.redrive(this.messaging, queue, {
        ...filterOf(body),
        ids,
        dryRun,
        limit,
        ratePerSecond,
        stopOnFailure,
        ...(run === undefined ? {} : { run }),
        maxMs: CALL_LIMIT_MS,
        by: principal.name,
      }),
    );
  }

  @Operation(editParked)
  async edit({
    params,
    body,
    principal,
  }: OperationInput<typeof editParked>): Promise<OperationResult<typeof editParked>> {
    this.#mayAct(principal, params.queue);
    try {
      const id = await this.#of(params.queue, () =>
        parkingLot.edit(this.messaging, params.queue, params.id, { payload: body.payload, by: principal.name }),
      );
      if (id === undefined) throw noMessage(params);
      return { id, replaces: params.id };
    } catch (error) {
      if (!(error instanceof InvalidMessageError)) throw error;
      throw new CallerError('invalid-request', {
        detail: 'the payload does not fit the contract of its message; nothing was changed',
        errors: error.issues.map((detail) => ({ pointer: '/payload', detail })),
      });
    }
  }

  @Operation(discardParked)
  async discard({
    body,
    principal,
  }: OperationInput<typeof discardParked>): Promise<OperationResult<typeof discardParked>> {
    this.#mayAct(principal, body.queue);
    const { queue, ids, dryRun, limit } = body;
    const options = { ...filterOf(body), ids, dryRun, limit, maxMs: CALL_LIMIT_MS, by: principal.name };
    return this.#of(queue, () => parkingLot.discard(this.messaging, queue, options));
  }

  /** Throws CallerError for who may not, for a queue that is not ours, and while the broker is away. */
  #mayAct(principal: Principal, queue?: string): void {
    if (principal.team !== '*') {
      throw new CallerError('all-teams-needed', {
        detail: `The token "${principal.name}" is of team "${principal.team}"; queues hold messages of every team. Use one of team "*".`,
      });
    }
    const lots = [...this.messaging.queues, UNCLAIMED];
    if (queue !== undefined && !lots.includes(queue)) {
      throw new CallerError('not-found', {
        detail: `There is no queue ${queue} here; there are: ${lots.join(', ')}.`,
      });
    }
    const { consuming } = this.messaging.health();
    if (consuming.state === 'connected' || consuming.state === 'blocked') return;
    throw new CallerError('unavailable', {
      detail: 'The service has no connection to RabbitMQ.',
      retryAfterSeconds: 1,
    });
  }

  async #of<T>(queue: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!/NOT[-_]FOUND/.test(messageOf(error))) throw error;
      throw new CallerError('not-found', { detail: `Queue ${queue} has no parking lot on the broker.`, cause: error });
    }
  }
}

type Times = { since?: string | undefined; until?: string | undefined };

const filterOf = ({
  code,
  type,
  text,
  key,
  since,
  until,
}: Omit<ParkedFilter, 'since' | 'until'> & Times): ParkedFilter => ({
  code,
  type,
  text,
  key,
  since: since === undefined ? undefined : new Date(since),
  until: until === undefined ? undefined : new Date(until),
});

/** Opaque to clients. Throws CallerError where it is no cursor of ours. */
function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CallerError('invalid-request', {
    detail: 'The cursor is not one that this list gave; take `next` of the page before, or none for the first page.',
    errors: [{ pointer: 'query/cursor', detail: 'is not a cursor of this list' }],
  });
}

const viewOf = (queue: string, message: ParkedMessage | ParkedDetails): ParkedMessageView => ({
  ...message,
  queue,
  ...('headers' in message ? { headers: plain(message.headers) } : {}),
});

/** Headers as JSON has them: amqplib gives buffers and dates as objects. */
const plain = (headers: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(headers)) as Record<string, unknown>;

const noMessage = ({ queue, id }: { queue: string; id: string }): CallerError =>
  new CallerError('not-found', {
    detail: `Message ${id} is not among the first 10,000 in the parking lot of ${queue}.`,
  });
