import type { z } from 'zod';
import type { Api, Endpoint } from '../http/endpoint.ts';

/** A request part that may be left out where everything in it may. */
type Part<Name extends string, Schema> = Schema extends z.ZodType
  ? object extends z.input<Schema>
    ? { readonly [K in Name]?: z.input<Schema> }
    : { readonly [K in Name]: z.input<Schema> }
  : unknown;

type SchemaOf<E, Key extends string> = E extends { readonly [K in Key]: infer Schema } ? Schema : undefined;

interface CommonInput {
  /** Ends the call from outside. */
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Writes that honour it get a random key by themselves; give one to make a call repeatable across processes. */
type KeyInput<E> = E extends { readonly idempotent: true } ? { readonly idempotencyKey?: string } : unknown;

type RawBody<E> = E extends { readonly bodyType: string; readonly body?: undefined }
  ? { readonly body: string | Uint8Array }
  : unknown;

/** What a call of that operation takes. */
export type CallInput<E extends Endpoint> = Part<'params', SchemaOf<E, 'params'>> &
  Part<'query', SchemaOf<E, 'query'>> &
  Part<'body', SchemaOf<E, 'body'>> &
  RawBody<E> &
  KeyInput<E> &
  CommonInput;

/** One event of a live view. */
export interface LiveEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** What a call of that operation gives: the validated response; bytes, or live events, for other media types. */
export type CallResult<E extends Endpoint> = E extends { readonly response: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : E extends { readonly responseType: 'text/event-stream' }
    ? AsyncIterable<LiveEvent>
    : E extends { readonly responseType: string }
      ? Uint8Array
      : void;

type Arguments<E extends Endpoint> = object extends CallInput<E> ? [input?: CallInput<E>] : [input: CallInput<E>];

export type Call<E extends Endpoint> = (...input: Arguments<E>) => Promise<CallResult<E>>;

/** One function for each operation of the API. */
export type Client<A extends Api> = { readonly [Name in keyof A['endpoints']]: Call<A['endpoints'][Name]> };
