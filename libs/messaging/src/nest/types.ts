export type { MessageContext } from '../consume/subscription.ts';
export type { Received } from '../envelope/received.ts';
export type { Payload } from '@keelson/contracts';
