import type { MessageDefinition } from '@keelson/contracts';
import { Inject } from '@nestjs/common';
import { Messaging } from '../messaging.ts';

export const DEFAULT_CONNECTION = 'default';

/** What to inject a Messaging by: the class for the default connection, a token for one with a name. */
export const getMessagingToken = (name = DEFAULT_CONNECTION): typeof Messaging | string =>
  name === DEFAULT_CONNECTION ? Messaging : `keelson:messaging:${name}`;

/** Injects the Messaging of this name. */
export const InjectMessaging = (name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getMessagingToken(name));

/** What MessagingModule.forFeature provides a message's publisher under. */
export const getPublisherToken = ({ routingKey }: MessageDefinition, name = DEFAULT_CONNECTION): string =>
  `keelson:publisher:${name}:${routingKey}`;

/** Injects a {@link MessagePublisher} of this message; MessagingModule.forFeature provides it. */
export const InjectPublisher = (definition: MessageDefinition, name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getPublisherToken(definition, name));
