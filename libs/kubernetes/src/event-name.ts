import { randomInt, randomUUID } from 'node:crypto';

/** The longest name that an Event may have: a DNS subdomain's. */
const longest = 253;
const nanosecondsOfOne = 1_000_000;
/** Random at first: two processes that tell of one object in one millisecond hardly ever meet. */
let sequence = randomInt(nanosecondsOfOne / 2);

/**
 * A name for an Event about the object of name `about` that happened at `atMs` (milliseconds since 1970), as client-go's
 * recorder makes it (k8s.io/client-go/tools/record, GenerateEventName): with the time in nanoseconds, so that a list by
 * name is one by time. Node's clock has milliseconds; below them names are counted.
 */
export function eventName(about: string, atMs: number): string {
  sequence = (sequence + 1) % nanosecondsOfOne;
  const name = `${about}.${(BigInt(atMs) * BigInt(nanosecondsOfOne) + BigInt(sequence)).toString(16)}`;
  return name.length > longest ? randomUUID() : name;
}
