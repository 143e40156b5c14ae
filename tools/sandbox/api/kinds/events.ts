import { type FieldError, invalid, required } from '../http/status.ts';
import { type Json, type KubeObject, equal } from '../json.ts';
import { since } from './columns.ts';
import type { Column, Strategy } from './strategy.ts';

/** The fields whose names differ between core/v1 (as stored) and events.k8s.io/v1. */
const names: [core: string, v1: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

function rename(object: KubeObject, apiVersion: string, map: Map<string, string>): KubeObject {
  const out: Json = {};
  for (const [key, value] of Object.entries(object)) out[map.get(key) ?? key] = value;
  return { ...out, apiVersion };
}

const toV1Names = new Map(names);
const toCoreNames = new Map(names.map(([core, v1]) => [v1, core]));

/** One stored event, seen as events.k8s.io/v1. */
export const fromCore = (event: KubeObject): KubeObject => {
  const v1: Json = rename(event, 'events.k8s.io/v1', toV1Names);
  for (const key of ['reportingController', 'reportingInstance']) if (v1[key] === '') delete v1[key];
  return v1;
};
/** An events.k8s.io/v1 event as it is stored. */
export const toCore = (event: KubeObject): KubeObject => {
  const core: Json = rename(event, 'v1', toCoreNames);
  core.involvedObject ??= {};
  core.source ??= {};
  return core;
};

const object = (o: Json): Json => o.involvedObject ?? {};

function namespaceErrors(o: Json): FieldError[] {
  const about = object(o).namespace;
  const mine = o.metadata.namespace;
  if (!about ? mine !== 'default' && mine !== 'kube-system' && mine !== '' : about !== mine) {
    return [
      invalid(
        'involvedObject.namespace',
        about ?? '',
        about ? 'does not match event.namespace' : 'does not match event.namespace',
      ),
    ];
  }
  return [];
}

const lastSeen = (o: Json): string | undefined =>
  o.series?.lastObservedTime ?? o.lastTimestamp ?? o.eventTime ?? undefined;
const firstSeen = (o: Json): string | undefined => o.firstTimestamp ?? o.eventTime ?? undefined;

const shownSource = (o: Json): string => {
  const component = o.source?.component || o.reportingComponent || '';
  const host = o.source?.host || (o.source?.component ? '' : o.reportingInstance) || '';
  return host ? `${component}, ${host}` : component;
};

const columns: Column[] = [
  { name: 'Last Seen', type: 'string', value: (o, now) => since(lastSeen(o), now) },
  { name: 'Type', type: 'string', value: (o) => o['type'] ?? '' },
  { name: 'Reason', type: 'string', value: (o) => o['reason'] ?? '' },
  {
    name: 'Object',
    type: 'string',
    value: (o) => `${String(object(o).kind ?? '').toLowerCase()}/${object(o).name ?? ''}`,
  },
  { name: 'Subobject', type: 'string', priority: 1, value: (o) => object(o).fieldPath ?? '' },
  { name: 'Source', type: 'string', priority: 1, value: shownSource },
  { name: 'Message', type: 'string', value: (o) => String(o['message'] ?? '').trim() },
  { name: 'First Seen', type: 'string', priority: 1, value: (o, now) => since(firstSeen(o), now) },
  { name: 'Count', type: 'string', priority: 1, value: (o) => String(o['series']?.count ?? (o['count'] || 1)) },
  { name: 'Name', type: 'string', format: 'name', priority: 1, value: (o) => o.metadata.name },
];

const fields: Strategy['fields'] = {
  'involvedObject.kind': (o) => object(o).kind ?? '',
  'involvedObject.namespace': (o) => object(o).namespace ?? '',
  'involvedObject.name': (o) => object(o).name ?? '',
  'involvedObject.uid': (o) => object(o).uid ?? '',
  'involvedObject.apiVersion': (o) => object(o).apiVersion ?? '',
  'involvedObject.resourceVersion': (o) => object(o).resourceVersion ?? '',
  'involvedObject.fieldPath': (o) => object(o).fieldPath ?? '',
  reason: (o) => o.reason ?? '',
  reportingComponent: (o) => o.reportingComponent ?? '',
  source: (o) => o.source?.component || (o.reportingComponent ?? ''),
  type: (o) => o.type ?? '',
};

const zeroTimes = (draft: Json): void => {
  draft.source ??= {};
  draft.involvedObject ??= {};
  draft.firstTimestamp ??= null;
  draft.lastTimestamp ??= null;
  draft.eventTime ??= null;
  draft.reportingComponent ??= '';
  draft.reportingInstance ??= '';
};

const v1Fields: Strategy['fields'] = Object.fromEntries(
  Object.entries(fields ?? {}).map(([name, read]) => [
    name.replace('involvedObject', 'regarding').replace('reportingComponent', 'reportingController'),
    read,
  ]),
);

// The two views share storage, so strategies see the stored (core) shape.
export const coreEvents: Strategy = { defaults: zeroTimes, validate: namespaceErrors, fields, columns };

export const eventsV1: Strategy = {
  defaults: zeroTimes,
  validate(o) {
    const errors = namespaceErrors(o);
    // An event of the old API has no eventTime and is not held to the new one's rules.
    if (!o.eventTime && (o.count || o.firstTimestamp)) return errors;
    if (!o.eventTime) errors.push(required('eventTime'));
    if (!o.reportingComponent) errors.push(required('reportingController'));
    if (!o.reportingInstance) errors.push(required('reportingInstance'));
    if (!o.action) errors.push(required('action'));
    if (!o.reason) errors.push(required('reason'));
    if (o.type !== 'Normal' && o.type !== 'Warning')
      errors.push(invalid('type', '', `has invalid value: ${o.type ?? ''}`));
    return errors;
  },
  validateUpdate: (o, old) =>
    ['involvedObject', 'reason', 'type', 'action', 'message', 'eventTime']
      .filter((key) => old.eventTime && !equal(o[key], old[key]))
      .map((key) => invalid(key, o[key], 'field is immutable')),
  fields: v1Fields,
  columns,
};
