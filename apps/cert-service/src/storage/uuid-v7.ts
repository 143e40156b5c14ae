import { randomFillSync } from 'node:crypto';

/** Random octets for many ids: a call into OpenSSL for each would cost more than all the rest. */
const pool = Buffer.alloc(10 * 256);
let used = pool.length;
let last = 0;
let counter = 0;

/**
 * A UUIDv7 (RFC 9562 section 5.7): the milliseconds, then a counter that keeps ids of one process in the order in which
 * they were made (method 1 of section 6.2), then 62 random bits. Made here rather than by the database, because the
 * id stands in the message and in the audit entry that are written together with the row.
 */
export function uuidV7(now: Date): string {
  const milliseconds = Math.max(now.getTime(), 0);
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const octets = Buffer.alloc(16);
  pool.copy(octets, 6, used, (used += 10));
  if (milliseconds > last || last - milliseconds > 1000) {
    last = milliseconds;
    counter = octets.readUInt16BE(6) & 0x07ff; // the upper half stays free to count in
  } else if (counter === 0x0fff) {
    last += 1; // more than the counter holds in one millisecond: the next one is borrowed
    counter = 0;
  } else counter += 1;
  octets.writeUIntBE(last, 0, 6);
  octets.writeUInt16BE(0x7000 | counter, 6);
  octets[8] = (octets[8]! & 0x3f) | 0x80;
  const hex = octets.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
