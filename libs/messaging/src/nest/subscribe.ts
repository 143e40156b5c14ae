import type { MessageDefinition, Reply, RequestDefinition } from '@keelson/contracts';
import type { BatchContext, BatchOptions, BroadcastOptions, SubscribeOptions } from '../consume/subscription.ts';
import type { RequestContext, RespondOptions } from '../request/responder.ts';
import { describeParameters } from './enhanced.ts';
import type { MessageContext, Payload, Received } from './types.ts';

const HANDLERS = Symbol('keelson:subscriptions');

/** Of which connection, where a program has several; see MessagingModule.forRootAsync. */
export interface OnConnection {
  connection?: string;
}

export type SubscribeDecoratorOptions = Omit<SubscribeOptions<never>, 'messages' | 'handler'> & OnConnection;
export type BatchDecoratorOptions = Omit<BatchOptions<never>, 'messages' | 'handler'> & OnConnection;
export type BroadcastDecoratorOptions = Omit<BroadcastOptions<never>, 'messages' | 'handler'> & OnConnection;
export type RespondDecoratorOptions = Omit<RespondOptions<RequestDefinition>, 'request' | 'handler'> & OnConnection;

/** A method and what it was decorated with. */
export type Handler = { readonly method: string } & (
  | { readonly kind: 'subscribe'; readonly definition: MessageDefinition; readonly options: SubscribeDecoratorOptions }
  | { readonly kind: 'batch'; readonly definition: MessageDefinition; readonly options: BatchDecoratorOptions }
  | { readonly kind: 'broadcast'; readonly definition: MessageDefinition; readonly options: BroadcastDecoratorOptions }
  | { readonly kind: 'respond'; readonly definition: RequestDefinition; readonly options: RespondDecoratorOptions }
);

/** What a handler method gets besides the payload. */
export interface HandlerContext<M extends MessageDefinition = MessageDefinition> extends MessageContext {
  readonly message: Received<M>;
}

/** Of a method that takes these or fewer. */
type Decorated<F extends (...values: never[]) => Promise<unknown>> = <G extends F>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<G>,
) => void;

/**
 * Hands messages of this definition to the method. Several methods, each with another definition, may share one
 * queue; they must then agree on every other option.
 */
export const Subscribe =
  <M extends MessageDefinition>(
    definition: M,
    options: SubscribeDecoratorOptions,
  ): Decorated<(payload: Payload<M>, context: HandlerContext<M>) => Promise<void>> =>
  (target, method) =>
    add(target, { kind: 'subscribe', method, definition, options });

/** What a handler of batches gets besides the payloads. */
export interface BatchHandlerContext<M extends MessageDefinition = MessageDefinition> extends BatchContext {
  /** Of each payload, in the same order. */
  readonly messages: readonly Received<M>[];
}

/**
 * Hands messages of this definition to the method, many at a time; see Messaging.subscribeBatch. Several such methods
 * may share a queue and its batches: they are called one after the other, each with the messages of its definition, so
 * their order must not matter. They must agree on every option.
 */
export const SubscribeBatch =
  <M extends MessageDefinition>(
    definition: M,
    options: BatchDecoratorOptions,
  ): Decorated<(payloads: readonly Payload<M>[], context: BatchHandlerContext<M>) => Promise<void>> =>
  (target, method) =>
    add(target, { kind: 'batch', method, definition, options });

/** Hands messages of this definition to the method in every instance of the program; see Messaging.subscribeBroadcast. */
export const SubscribeBroadcast =
  <M extends MessageDefinition>(
    definition: M,
    options: BroadcastDecoratorOptions,
  ): Decorated<(payload: Payload<M>, context: Omit<HandlerContext<M>, 'tx'>) => Promise<void>> =>
  (target, method) =>
    add(target, { kind: 'broadcast', method, definition, options });

/** Answers requests with what the method returns; see Messaging.respond. */
export const Respond =
  <R extends RequestDefinition>(
    definition: R,
    options: RespondDecoratorOptions,
  ): Decorated<(payload: Payload<R>, context: RequestContext<R>) => Promise<Reply<R>>> =>
  (target, method) =>
    add(target, { kind: 'respond', method, definition, options });

function add(target: object, handler: Handler): void {
  const constructor = target.constructor as { [HANDLERS]?: Handler[] };
  const own = Object.hasOwn(constructor, HANDLERS) ? (constructor[HANDLERS] ?? []) : [];
  constructor[HANDLERS] = [...own, handler];
  describeParameters(target, handler.method);
}

export const handlersOf = (constructor: unknown): readonly Handler[] =>
  (constructor as { [HANDLERS]?: Handler[] })[HANDLERS] ?? [];
