import type { JournalEntry } from '../../journal/entry.ts';

/** A field of a Go struct: what it holds, and what is written where it is empty (nothing at all unless `empty` is given). */
interface Field {
  readonly struct?: Struct;
  readonly list?: Struct;
  readonly sorted?: true;
  readonly empty?: unknown;
}

/** Fields in the order in which Go declares them, and therefore writes them. What is not among them Go does not know. */
type Struct = Readonly<Record<string, Field>>;

const optional: Field = {};
const fields = (...names: string[]): Struct => Object.fromEntries(names.map((name) => [name, optional]));

const objectReference = fields('kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath');

/** k8s.io/apimachinery, meta/v1 */
const objectMeta: Struct = {
  ...fields('name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation'),
  creationTimestamp: { empty: null },
  ...fields('deletionTimestamp', 'deletionGracePeriodSeconds'),
  labels: { sorted: true },
  annotations: { sorted: true },
  ownerReferences: { list: fields('apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion') },
  finalizers: optional,
  managedFields: {
    list: fields('manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'),
  },
};

/** k8s.io/api, core/v1; client-go's typed objects carry neither kind nor apiVersion. */
const event: Struct = {
  metadata: { struct: objectMeta },
  involvedObject: { struct: objectReference },
  ...fields('reason', 'message'),
  source: { struct: fields('component', 'host') },
  firstTimestamp: { empty: null },
  lastTimestamp: { empty: null },
  ...fields('count', 'type'),
  eventTime: { empty: null },
  series: { struct: { count: optional, lastObservedTime: { empty: null } } },
  action: optional,
  related: { struct: objectReference },
  reportingComponent: { empty: '' },
  reportingInstance: { empty: '' },
};

/** Structs that are held by value are there even when empty; those behind a pointer only when they are set. */
const POINTERS = new Set(['series', 'related']);

/** The core/v1 Event of a journal entry, its keys in Go's order: ready for {@link goJson}. */
export function coreEvent(entry: JournalEntry): Record<string, unknown> {
  const given = entry.source === 'kubernetes' ? (entry.original as Record<string, unknown>) : asEvent(entry);
  return inOrder(given['regarding'] === undefined ? given : ofNewer(given), event);
}

function inOrder(given: Readonly<Record<string, unknown>>, struct: Struct): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(struct)) {
    const value = given[name];
    if (field.struct !== undefined && (value !== undefined || !POINTERS.has(name))) {
      if (value !== null || !POINTERS.has(name)) written[name] = inOrder((value ?? {}) as never, field.struct);
    } else if (isEmpty(value)) {
      if (field.empty !== undefined) written[name] = field.empty;
    } else if (field.list !== undefined) {
      written[name] = (value as Record<string, unknown>[]).map((one) => inOrder(one, field.list!));
    } else if (field.sorted === true) {
      written[name] = new Map(Object.entries(value as object).toSorted(([a], [b]) => byBytes(a, b)));
    } else {
      written[name] = value;
    }
  }
  return written;
}

/** What `omitempty` leaves out. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Go sorts the keys of maps by their UTF-8 bytes. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** events.k8s.io/v1 is another view of the same object. */
function ofNewer(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    ...given,
    involvedObject: given['regarding'],
    message: given['note'],
    source: given['deprecatedSource'],
    firstTimestamp: given['deprecatedFirstTimestamp'],
    lastTimestamp: given['deprecatedLastTimestamp'],
    count: given['deprecatedCount'],
    reportingComponent: given['reportingController'],
  };
}

/** What does not come from Kubernetes, put into the shape of an Event. */
function asEvent(entry: JournalEntry): Record<string, unknown> {
  return {
    metadata: {
      name: entry.id,
      namespace: entry.object.namespace,
      uid: entry.id,
      creationTimestamp: seconds(entry.receivedAt),
    },
    involvedObject: entry.object,
    reason: entry.reason,
    message: entry.message,
    source: { component: entry.reporter },
    firstTimestamp: seconds(entry.firstSeen),
    lastTimestamp: seconds(entry.lastSeen),
    count: entry.count,
    type: entry.type,
    reportingComponent: entry.reporter,
  };
}

/** metav1.Time has no fraction. */
const seconds = (time: string): string => time.replace(/\.\d+Z$/, 'Z');
