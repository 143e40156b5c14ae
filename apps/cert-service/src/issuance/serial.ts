import { randomFillSync } from 'node:crypto';

/** Random octets are drawn for many serials at once: one call into OpenSSL each would cost as much as the hash. */
const pool = Buffer.alloc(16 * 256);
let used = pool.length;

/**
 * A serial number of 16 random octets: above the 64 random bits of the Baseline Requirements 7.1, within the 20 octets of
 * RFC 5280 section 4.1.2.2. The highest bit is cleared and the next set, so that it is positive, has the same length
 * always and its INTEGER is minimal; 126 random bits remain.
 */
export function randomSerial(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const serial = Buffer.from(pool.subarray(used, (used += 16)));
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}
