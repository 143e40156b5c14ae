import * as canary from './canaries/messages.ts';
import * as certificate from './certificates/messages.ts';
import { messageDiscarded, messageEdited, messageRedriven } from './messages/acted.ts';
import { messageParked } from './messages/parked.ts';
import * as order from './orders/messages.ts';

/** Name of the one topic exchange that every message goes through. */
export const EXCHANGE = 'keelson.events';

const definitions = [
  ...Object.values(certificate),
  ...Object.values(canary),
  ...Object.values(order),
  messageParked,
  messageRedriven,
  messageDiscarded,
  messageEdited,
] as const;

type Definitions = (typeof definitions)[number];

/** Every message of the platform by its routing key. */
export const catalogue: Readonly<Record<string, Definitions>> = Object.freeze(
  Object.fromEntries(definitions.map((definition) => [definition.routingKey, definition])),
);
