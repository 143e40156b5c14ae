import { randomUUID } from 'node:crypto';
import { CE, KEELSON } from '../envelope/headers.ts';
import { InvalidMessageError } from '../errors.ts';
import { PARKING, type Messaging } from '../messaging.ts';
import { announceActed } from './announce-acted.ts';
import { exclusively } from './exclusive.ts';
import { Lot } from './lot.ts';
import {
  destinationOf,
  details,
  idOf,
  matches,
  summary,
  type ParkedDetails,
  type ParkedFilter,
  type ParkedMessage,
} from './parked-message.ts';
import { again, discardFrom, redriveFrom, type ActOptions, type ActResult, type RedriveOptions } from './redrive.ts';

export interface ListOptions extends ParkedFilter {
  /** Messages given, at most. Default 100. */
  limit?: number;
  /** Messages that match and are passed over. Default 0. */
  offset?: number;
  /** Messages looked at, at most. Default 10,000. */
  scan?: number;
}

/** The parked messages of a queue, oldest first; they stay where they are. */
async function list(messaging: Messaging, queue: string, options: ListOptions = {}): Promise<ParkedMessage[]> {
  return (await page(messaging, queue, options)).items;
}

/** {@link list}, and whether more match. */
const page = (messaging: Messaging, queue: string, options: ListOptions = {}) =>
  look(messaging, queue, options, summary);

/** {@link page} with bodies, headers and stacks. */
const read = (messaging: Messaging, queue: string, options: ListOptions = {}) =>
  look(messaging, queue, options, details);

/** A page as `view` shows each message, and whether there may be more. */
function look<T>(
  messaging: Messaging,
  queue: string,
  options: ListOptions,
  view: (message: Parameters<typeof summary>[0]) => T,
): Promise<{ items: T[]; more: boolean }> {
  const { limit = 100, offset = 0, scan = 10_000 } = options;
  return visit(messaging, queue, async (lot) => {
    const items: T[] = [];
    let passed = 0;
    for (let seen = 0; seen < scan; seen += 1) {
      const message = await lot.next();
      if (message === undefined) return { items, more: false };
      if (!matches(message, options)) continue;
      if (passed < offset) passed += 1;
      else if (items.length < limit) items.push(view(message));
      else return { items, more: true };
    }
    return { items, more: scan < lot.initial };
  });
}

/** Parked messages that have code and type in common. */
export interface ParkedGroup {
  readonly code: string;
  readonly type: string;
  readonly count: number;
  readonly firstFailedAt?: string;
  readonly lastFailedAt?: string;
  /** The reason of the latest. */
  readonly example: string;
}

/** The parked messages of a queue by error, most first. */
function groups(
  messaging: Messaging,
  queue: string,
  options: ParkedFilter & { scan?: number } = {},
): Promise<{ groups: ParkedGroup[]; seen: number; complete: boolean }> {
  const { scan = 10_000 } = options;
  return visit(messaging, queue, async (lot) => {
    const found = new Map<string, ParkedGroup>();
    let seen = 0;
    for (; seen < scan; seen += 1) {
      const message = await lot.next();
      if (message === undefined) break;
      if (!matches(message, options)) continue;
      const { code, type, reason, firstFailedAt, lastFailedAt } = summary(message);
      const key = JSON.stringify([code, type]);
      const before = found.get(key);
      found.set(key, {
        code,
        type,
        count: (before?.count ?? 0) + 1,
        // ISO 8601 in UTC sorts as text.
        firstFailedAt: [before?.firstFailedAt, firstFailedAt].filter((at) => at !== undefined).toSorted()[0],
        lastFailedAt: [before?.lastFailedAt, lastFailedAt]
          .filter((at) => at !== undefined)
          .toSorted()
          .at(-1),
        example: reason,
      });
    }
    const groups = [...found.values()].toSorted((one, other) => other.count - one.count);
    return { groups, seen, complete: seen >= lot.initial };
  });
}

/** One parked message in full; undefined when it is not among the first `scan` (10,000). */
async function peek(
  messaging: Messaging,
  queue: string,
  id: string,
  options: { scan?: number } = {},
): Promise<ParkedDetails | undefined> {
  const [found] = (await look(messaging, queue, { ...options, ids: [id], limit: 1 }, details)).items;
  return found;
}

/**
 * Sends parked messages to their queue again, with the same id and a fresh retry budget; each leaves the parking lot
 * when the broker has stored its copy. Only their own queue gets them: other consumers have had theirs.
 */
async function redrive(messaging: Messaging, queue: string, options: RedriveOptions = {}): Promise<ActResult> {
  const { publisher } = messaging[PARKING]();
  const { result, ids } = await visit(messaging, queue, (lot) => redriveFrom(lot, queue, publisher, options));
  await announceActed(messaging, 'redriven', { queue, ids, by: options.by });
  return result;
}

/** Deletes parked messages for good. */
async function discard(messaging: Messaging, queue: string, options: ActOptions): Promise<ActResult> {
  const { result, ids } = await visit(messaging, queue, (lot) => discardFrom(lot, options));
  await announceActed(messaging, 'discarded', { queue, ids, by: options.by });
  return result;
}

/**
 * Sends a corrected copy of a parked message to its queue under a new id, then takes the original out. Resolves with the
 * new id, or undefined when the message is not there. Throws InvalidMessageError when the payload does not fit.
 */
async function edit(
  messaging: Messaging,
  queue: string,
  id: string,
  { payload, by }: { payload: unknown; by?: string },
): Promise<string | undefined> {
  const { publisher, catalogue } = messaging[PARKING]();
  const newId = await visit(messaging, queue, async (lot) => {
    for (let message = await lot.next(); message !== undefined; message = await lot.next()) {
      if (idOf(message) !== id) continue;
      const { type } = summary(message);
      const definition = Object.values(catalogue).find((one) => one.type === type);
      if (definition === undefined)
        throw new InvalidMessageError(type, ['no such message in the catalogue, so that nobody can say what fits it']);
      const parsed = definition.schema.safeParse(payload);
      if (!parsed.success) {
        const issues = parsed.error.issues.map((issue) => `/${issue.path.join('/')} ${issue.message}`);
        throw new InvalidMessageError(definition.routingKey, issues);
      }
      const fresh = randomUUID();
      const to = destinationOf(message, queue);
      const body = Buffer.from(JSON.stringify(parsed.data));
      const copy = again({ ...message, content: body }, to.routingKey, randomUUID(), {
        [CE.id]: fresh,
        [KEELSON.editedFrom]: id,
        [KEELSON.redriveCount]: 0,
      });
      await publisher.publish(to.exchange, { ...copy, id: fresh }, { mandatory: true, deadlineMs: 10_000 });
      lot.remove(message);
      return fresh;
    }
    return undefined;
  });
  if (newId !== undefined) await announceActed(messaging, 'edited', { queue, ids: [id], by, newId });
  return newId;
}

/** What can be done with messages that were given up. Queues are named without `.parked`. */
export const parkingLot = { list, page, read, groups, peek, redrive, discard, edit };

/** One walk at a time through a parking lot in this process: two would each see a part of it. */
const visit = <T>(messaging: Messaging, queue: string, walk: (lot: Lot) => Promise<T>): Promise<T> =>
  exclusively(messaging, queue, async () => Lot.visit(await messaging[PARKING]().connected(), queue, walk));
