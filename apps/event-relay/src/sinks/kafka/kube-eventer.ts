import type { JournalEntry } from '../../journal/entry.ts';
import { coreEvent } from './core-event.ts';
import { goJson } from './go-json.ts';

interface CoreEvent {
  metadata: { uid?: string };
  involvedObject: { kind?: string; name?: string; uid?: string };
  source: { host?: string };
  lastTimestamp: string | null;
  eventTime: string | null;
}

/**
 * The value of kube-eventer's Kafka messages: `{"EventValue","EventTimestamp","EventTags"}`, where EventValue is the
 * core/v1 Event as a JSON text indented by one space. What does not come from Kubernetes is put into the shape of an
 * Event, so that the same consumers can read it.
 */
export function kubeEventerMessage(entry: JournalEntry): string {
  const event = coreEvent(entry) as unknown as CoreEvent;
  // Go writes a map's keys in order of their bytes.
  const tags: Record<string, string> = { eventID: event.metadata.uid ?? '', hostname: event.source.host ?? '' };
  if (event.involvedObject.kind === 'Pod') {
    tags['pod_id'] = event.involvedObject.uid ?? '';
    tags['pod_name'] = event.involvedObject.name ?? '';
  }
  const time = isSet(event.lastTimestamp)
    ? event.lastTimestamp
    : isSet(event.eventTime)
      ? event.eventTime
      : entry.receivedAt;
  return goJson({ EventValue: goJson(event, ' '), EventTimestamp: rfc3339Nano(time), EventTags: tags });
}

const isSet = (time: string | null): time is string => time !== null && !time.startsWith('0001-01-01T00:00:00');

/** Go's time.Time in JSON: UTC, a fraction without trailing zeros, none at all where it is zero. */
function rfc3339Nano(time: string): string {
  const utc = time.endsWith('Z') ? time : new Date(time).toISOString();
  return utc.includes('.') ? utc.replace(/\.?0*Z$/, 'Z') : utc;
}
