import type { z } from 'zod';
import { defineMessage, type MessageDefinition } from './message.ts';

/** A message that is answered: whoever sends it waits for a reply of this schema. */
export interface RequestDefinition<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
  Version extends number = number,
> extends MessageDefinition<Name, Schema, Version> {
  readonly reply: Reply;
}

/** What a request is answered with, after validation. */
export type Reply<R extends RequestDefinition> = z.output<R['reply']>;

/** Defines a request; `producer` is the service that answers it, since anybody may ask. */
export function defineRequest<
  Name extends string,
  Schema extends z.ZodType,
  Reply extends z.ZodType,
  const Version extends number,
>(definition: {
  name: Name;
  version: Version;
  producer: string;
  summary: string;
  schema: Schema;
  reply: Reply;
}): RequestDefinition<Name, Schema, Reply, Version> {
  const { reply, ...message } = definition;
  return Object.freeze({ ...defineMessage(message), reply });
}
