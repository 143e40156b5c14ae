import type { Entity } from './markdown-v2.ts';

/** A message as a chat shows it. */
export interface ReceivedMessage {
  messageId: number;
  chatId: number;
  /** What a reader sees: without markup. */
  text: string;
  /** As it was sent. */
  source: string;
  entities: Entity[];
  /** RFC 3339. */
  at: string;
  /** The earlier message of this chat that reads the same. */
  duplicateOf?: number;
}
