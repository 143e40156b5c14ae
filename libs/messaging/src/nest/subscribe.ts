import type { MessageDefinition } from '@keelson/contracts';
import type { SubscribeOptions } from '../consume/subscription.ts';
import type { MessageContext, Payload, Received } from './types.ts';

const HANDLERS = Symbol('keelson:subscriptions');

export type SubscribeDecoratorOptions = Omit<SubscribeOptions, 'messages' | 'handler'>;

export interface Handler {
  method: string | symbol;
  definition: MessageDefinition;
  options: SubscribeDecoratorOptions;
}

/** What a handler method gets besides the payload. */
export interface HandlerContext<M extends MessageDefinition = MessageDefinition> extends MessageContext {
  readonly message: Received<M>;
}

/**
 * Hands messages of this definition to the method. Several methods, each with another definition, may share one
 * queue; they must then agree on every other option.
 */
export function Subscribe<M extends MessageDefinition>(definition: M, options: SubscribeDecoratorOptions) {
  return <F extends (payload: Payload<M>, context: HandlerContext<M>) => Promise<void>>(
    target: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    const constructor = target.constructor as { [HANDLERS]?: Handler[] };
    const own = Object.hasOwn(constructor, HANDLERS) ? (constructor[HANDLERS] ?? []) : [];
    constructor[HANDLERS] = [...own, { method, definition, options }];
  };
}

export const handlersOf = (constructor: unknown): readonly Handler[] =>
  (constructor as { [HANDLERS]?: Handler[] })[HANDLERS] ?? [];
