import { createHash } from 'node:crypto';
import type { NewEntry } from '../journal/entry.ts';

/** The fields of core/v1 and events.k8s.io/v1 Events that are read; either shape, both are views of one object. */
export interface KubernetesEvent {
  metadata: { uid?: string; resourceVersion?: string; name?: string; namespace?: string; creationTimestamp?: string };
  type?: string;
  reason?: string;
  /** core/v1 */
  message?: string;
  /** events.k8s.io/v1 */
  note?: string;
  involvedObject?: ObjectReference;
  regarding?: ObjectReference;
  count?: number;
  deprecatedCount?: number;
  series?: { count?: number; lastObservedTime?: string } | null;
  eventTime?: string | null;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  deprecatedFirstTimestamp?: string | null;
  deprecatedLastTimestamp?: string | null;
  source?: { component?: string; host?: string };
  deprecatedSource?: { component?: string; host?: string };
  reportingComponent?: string;
  reportingController?: string;
}

interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
}

/**
 * An Event of either API version as a journal entry. Counts: `series.count`, else the (deprecated) count, else 1. Times:
 * the newest the event knows, else `now`. One that says not what it is about (core/v1 allows that) is about itself. Throws
 * where the object is no Event at all: it has no uid.
 */
export function normalise(event: KubernetesEvent, cluster: string, now: Date): NewEntry {
  const { uid, resourceVersion, name = '', namespace } = event.metadata ?? {};
  if (typeof uid !== 'string' || uid === '') throw new Error('it has no metadata.uid');
  const about = event.involvedObject ?? event.regarding;
  const object = about?.kind ? about : { kind: 'Event', name, ...(namespace === undefined ? {} : { namespace }), uid };
  const source = event.source ?? event.deprecatedSource;
  const count = positive(event.series?.count) ?? positive(event.count) ?? positive(event.deprecatedCount) ?? 1;
  const first =
    event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  const last =
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.deprecatedLastTimestamp ?? event.eventTime ?? first;
  const node = source?.host;
  return {
    team: 'platform',
    source: 'kubernetes',
    cluster,
    // Anything but the two known types is shown as a warning: better looked at once too often.
    type: event.type === 'Normal' ? 'Normal' : 'Warning',
    reason: event.reason ?? '',
    message: event.message ?? event.note ?? '',
    object: {
      kind: object.kind ?? '',
      name: object.name ?? '',
      ...(object.apiVersion === undefined ? {} : { apiVersion: object.apiVersion }),
      ...(object.namespace === undefined ? {} : { namespace: object.namespace }),
      ...(object.uid === undefined ? {} : { uid: object.uid }),
    },
    reporter: event.reportingComponent || event.reportingController || source?.component || '',
    ...(node ? { node } : {}),
    labels: {},
    count,
    firstSeen: toUtc(first, now),
    lastSeen: toUtc(last, now),
    dedupeKey: `kubernetes/${cluster}/${uid}/${resourceVersion}`,
    seriesKey: `${cluster}/${uid}`,
    original: event,
  };
}

/** Reason of the Warning that stands for an Event which could not be taken. */
export const MALFORMED = 'MalformedEvent';

/** What cannot be read or stored as an event, told as a Warning rather than passed over; the object itself is kept. */
export function malformedEvent(original: unknown, cluster: string, fault: string, now: Date): NewEntry {
  const { metadata } = (original ?? {}) as Partial<KubernetesEvent>;
  const name = (typeof metadata?.name === 'string' ? metadata.name : '').slice(0, 253);
  const at = now.toISOString();
  const digest = createHash('sha256')
    .update(JSON.stringify(original) ?? '')
    .digest('hex');
  return {
    team: 'platform',
    source: 'platform',
    cluster,
    type: 'Warning',
    reason: MALFORMED,
    message: `the Event ${name || '(without a name)'} could not be taken: ${fault}`,
    object: { kind: 'Event', name },
    reporter: 'keelson-event-relay',
    labels: {},
    count: 1,
    firstSeen: at,
    lastSeen: at,
    dedupeKey: `malformed/${cluster}/${digest}`,
    original,
  };
}

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value > 0 ? value : undefined;

/** MicroTime and Time alike as RFC 3339 with milliseconds. Years outside of 1 to 9999 PostgreSQL would not take. */
function toUtc(text: string | null | undefined, now: Date): string {
  const time = text ? new Date(text) : now;
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time.toISOString() : now.toISOString();
}
