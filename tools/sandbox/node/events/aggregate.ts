/**
 * Kubelet's way of counting events: an event that equals one already written raises that one's count and last
 * timestamp; from the eleventh different message of one reason within ten minutes on, they are combined into one.
 * Source: client-go tools/record EventCorrelator (its spam filter is left out: a demonstration wants every event).
 */
export type EventKey = {
  involvedUid: string;
  involvedKind: string;
  namespace: string;
  name: string;
  fieldPath?: string;
  type: 'Normal' | 'Warning';
  reason: string;
};
export type NewEvent = EventKey & { message: string };

/** What to write: a new event, or a higher count on the one written before under the name `eventName`. */
export type EventWrite =
  | { kind: 'create'; key: string; message: string; count: number; firstAt: number }
  | { kind: 'update'; key: string; message: string; count: number; firstAt: number; eventName: string };

type Entry = { count: number; firstAt: number; lastAt: number; eventName?: string };
type Similar = { messages: Set<string>; lastAt: number };

const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
/** As client-go's cache: the oldest entries are forgotten beyond this many. */
const CACHE_SIZE = 4096;

/** Remembers what was written. Time is an argument (milliseconds). */
export class EventAggregator {
  readonly #entries = new Map<string, Entry>();
  readonly #similar = new Map<string, Similar>();

  record(event: NewEvent, now: number): EventWrite {
    const group = [event.involvedUid, event.namespace, event.name, event.fieldPath, event.type, event.reason].join(
      '\0',
    );
    const similar = this.#similarTo(group, event.message, now);
    const combined = similar.messages.size > SIMILAR_LIMIT;
    const message = combined ? `(combined from similar events): ${event.message}` : event.message;
    const key = combined ? group : `${group}\0${event.message}`;
    const entry = this.#entries.get(key);
    const next: Entry =
      entry === undefined ? { count: 1, firstAt: now, lastAt: now } : { ...entry, count: entry.count + 1, lastAt: now };
    remember(this.#entries, key, next);
    const { count, firstAt, eventName } = next;
    return eventName === undefined
      ? { kind: 'create', key, message, count, firstAt }
      : { kind: 'update', key, message, count, firstAt, eventName };
  }

  /** To be called once the event of a `create` is stored. */
  stored(key: string, eventName: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.eventName = eventName;
  }

  #similarTo(group: string, message: string, now: number): Similar {
    const known = this.#similar.get(group);
    const similar =
      known === undefined || now - known.lastAt > SIMILAR_WINDOW_MS
        ? { messages: new Set<string>(), lastAt: now }
        : known;
    if (similar.messages.size <= SIMILAR_LIMIT) similar.messages.add(message);
    similar.lastAt = now;
    remember(this.#similar, group, similar);
    return similar;
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > CACHE_SIZE) {
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
}
