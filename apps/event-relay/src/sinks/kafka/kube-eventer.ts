import type { JournalEntry } from '../../journal/entry.ts';
import { goJson } from './go-json.ts';

interface CoreEvent {
  metadata?: { uid?: string };
  source?: { host?: string };
}

/**
 * The value of kube-eventer's Kafka messages: `{"EventValue","EventTimestamp","EventTags"}`, where EventValue is the
 * core/v1 Event as a JSON text indented by one space. What does not come from Kubernetes is put into the shape of an
 * Event, so that the same consumers can read it.
 */
export function kubeEventerMessage(entry: JournalEntry): string {
  const event = (entry.source === 'kubernetes' ? coreEvent(entry.original) : asCoreEvent(entry)) as CoreEvent;
  const tags: Record<string, string> = {
    eventID: event.metadata?.uid ?? entry.id,
    hostname: event.source?.host ?? '',
  };
  if (entry.object.kind === 'Pod') {
    tags['pod_id'] = entry.object.uid ?? '';
    tags['pod_name'] = entry.object.name;
  }
  // Go writes a map's keys in order of their bytes, and a time without a fraction when there is none.
  const sorted = Object.fromEntries(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));
  return goJson({
    EventValue: goJson(event, ' '),
    EventTimestamp: entry.lastSeen.replace(/\.000Z$/, 'Z').replace(/(\.\d*?)0+Z$/, '$1Z'),
    EventTags: sorted,
  });
}

/** The order of fields in Go's struct `v1.Event`; encoding/json writes them so. */
const EVENT_FIELDS = [
  'kind',
  'apiVersion',
  'metadata',
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'series',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

/** A core/v1 Event from either API version, with its fields in Go's order; eventTime is always there, null or not. */
function coreEvent(original: unknown): object {
  const event = { ...(original as Record<string, unknown>) };
  if (event['regarding'] !== undefined) {
    event['involvedObject'] = event['regarding'];
    event['message'] = event['note'] ?? '';
    event['source'] = event['deprecatedSource'] ?? {};
    event['firstTimestamp'] = event['deprecatedFirstTimestamp'] ?? null;
    event['lastTimestamp'] = event['deprecatedLastTimestamp'] ?? null;
    event['count'] = event['deprecatedCount'];
    event['reportingComponent'] = event['reportingController'];
  }
  const defaults: Record<string, unknown> = {
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
  };
  // client-go's typed objects carry neither kind nor apiVersion.
  return Object.fromEntries(
    EVENT_FIELDS.filter((field) => field !== 'kind' && field !== 'apiVersion')
      .map((field) => [field, event[field] ?? defaults[field]] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function asCoreEvent(entry: JournalEntry): object {
  return {
    metadata: {
      name: entry.id,
      namespace: entry.object.namespace ?? '',
      uid: entry.id,
      creationTimestamp: entry.receivedAt,
    },
    involvedObject: entry.object,
    reason: entry.reason,
    message: entry.message,
    source: { component: entry.reporter },
    firstTimestamp: entry.firstSeen,
    lastTimestamp: entry.lastSeen,
    count: entry.count,
    type: entry.type,
    eventTime: null,
    reportingComponent: entry.reporter,
    reportingInstance: '',
  };
}
