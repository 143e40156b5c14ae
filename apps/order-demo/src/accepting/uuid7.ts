import { randomBytes } from 'node:crypto';

/**
 * UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 random bits. Made here and not by the database, so that a
 * batch that is written again after a lost connection recognises the orders it had already committed by their ids.
 */
export function uuid7(now: number = Date.now()): string {
  const random = take(10);
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0');
  random[0] = (random[0]! & 0x0f) | 0x70;
  random[2] = (random[2]! & 0x3f) | 0x80;
  const tail = random.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

// Random bytes are drawn in one call for 400 ids: a system call for each id would cost more than all the rest.
let pool = Buffer.alloc(0);
let used = 0;

function take(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    pool = randomBytes(4000);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}
