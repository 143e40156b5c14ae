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
 * the newest the event knows, else `now`. Throws where the object is no Event at all: what it is about is missing.
 */
export function normalise(event: KubernetesEvent, cluster: string, now: Date): NewEntry {
  const object = event.involvedObject ?? event.regarding;
  const { uid, resourceVersion } = event.metadata ?? {};
  if (uid === undefined || object?.kind === undefined || object.name === undefined) {
    throw new Error('not an Event: metadata.uid and involvedObject.kind and .name are needed');
  }
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
      kind: object.kind,
      name: object.name,
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

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;

/** MicroTime and Time alike as RFC 3339 with milliseconds. */
function toUtc(text: string | null | undefined, now: Date): string {
  const time = text ? new Date(text) : now;
  return Number.isNaN(time.getTime()) ? now.toISOString() : time.toISOString();
}
