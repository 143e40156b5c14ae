import { RetryableError } from '@keelson/messaging';
import type { Database } from '@keelson/persistence';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export interface Sms {
  /** Sending the same id again must not deliver twice: that is what makes a crash between sending and noting harmless. */
  id: string;
  orderId: string;
  phone: string;
  text: string;
}

/** Where an SMS is handed over. Rejects when it was not taken, or when nobody can say; then it is sent again. */
export abstract class SmsProvider {
  abstract send(sms: Sms): Promise<void>;
}

const record = /* sql */ `
INSERT INTO sms_deliveries (notification, order_id, phone, text) VALUES ($1, $2, $3, $4)
ON CONFLICT (notification) DO NOTHING`;

/** The built-in provider: writes what a phone would have got into sms_deliveries, outside of the caller's transaction. */
export class RecordingSmsProvider extends SmsProvider {
  readonly #database: Database;
  readonly #latencyMs: number;
  readonly #fails: () => boolean;

  /** `fails`: asked for each SMS whether it is refused, for trying out a provider that is not well. Default: never. */
  constructor(database: Database, options: { latencyMs: number; fails?: () => boolean }) {
    super();
    this.#database = database;
    this.#latencyMs = options.latencyMs;
    this.#fails = options.fails ?? (() => false);
  }

  async send({ id, orderId, phone, text }: Sms): Promise<void> {
    if (this.#latencyMs > 0) await pause(this.#latencyMs);
    if (this.#fails()) throw new RetryableError('the SMS provider took nothing (SMS_ERROR_RATE)');
    await this.#database.execute(record, [id, orderId, phone, text]);
  }
}

/** The id of an order's notification of that kind: the same whenever it is asked for. UUIDv8, RFC 9562 section 5.8. */
export function notificationId(orderId: string, kind: string): string {
  const bytes = createHash('sha256').update(`${orderId}/${kind}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
