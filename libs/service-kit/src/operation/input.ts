import type { Endpoint } from '@keelson/contracts';
import type { FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import type { PendingIdempotency } from '../idempotency/store.ts';

type Output<E, Key extends string, Absent> = E extends { readonly [K in Key]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : Absent;

type Media = Buffer | AsyncIterable<ServerSentEvent>;

/** What a method of that operation is given: everything validated. */
export interface OperationInput<E extends Endpoint> {
  readonly params: Output<E, 'params', object>;
  readonly query: Output<E, 'query', object>;
  /** Parsed by the operation's schema; a Buffer where the operation names another media type and no schema. */
  readonly body: Output<E, 'body', E extends { readonly bodyType: string } ? Buffer : undefined>;
  /** On operations without a scope the anonymous principal, which sees nothing, unless a token was sent. */
  readonly principal: Principal;
  readonly headers: IncomingHttpHeaders;
  readonly idempotencyKey?: string;
  /** Where a store is provided and a key was sent; see {@link PendingIdempotency}. */
  readonly idempotency?: PendingIdempotency;
  /** Aborted when the client goes away or the time is up. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  /** Adds a header to the answer, for example `location`. */
  readonly setHeader: (name: string, value: string) => void;
  /** Another status of success than the operation's usual one; for operations served directly. */
  readonly setStatus: (status: number) => void;
}

/** What the method returns: the input side of the response schema; nothing for 204; bytes or events for other types. */
export type OperationResult<E extends Endpoint> = E extends { readonly response: infer Schema extends z.ZodType }
  ? z.input<Schema>
  : E extends { readonly responseType: string }
    ? Media | string
    : void;

/** One event of a `text/event-stream` answer. */
export interface ServerSentEvent {
  /** Comes back as Last-Event-ID when the client connects again. */
  readonly id?: string;
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}
