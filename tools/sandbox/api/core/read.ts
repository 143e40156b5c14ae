import {
  ApiError,
  type FieldError,
  badOptions,
  badRequest,
  expired,
  forbiddenField,
  notFound,
  notSupported,
} from '../http/status.ts';
import type { KubeObject } from '../json.ts';
import type { Resource } from '../registry.ts';
import { CompactedError, keyOf } from '../store/collection.ts';
import { type Matcher, fieldSelector, labelSelector } from '../store/selectors.ts';
import type { Cluster } from './cluster.ts';

export type Query = URLSearchParams;

/** The stored object, or 404. */
export function getStored(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): KubeObject {
  const found = cluster.store
    .collection(resource.storage)
    .get(keyOf(resource.namespaced ? namespace : undefined, name));
  if (!found) throw notFound(resource, name);
  return found;
}

export const shown = (resource: Resource, stored: KubeObject): KubeObject =>
  resource.view ? cachedView(resource, stored) : stored;

const views = new WeakMap<Resource, WeakMap<KubeObject, KubeObject>>();
function cachedView(resource: Resource, stored: KubeObject): KubeObject {
  let cache = views.get(resource);
  if (!cache) views.set(resource, (cache = new WeakMap()));
  let view = cache.get(stored);
  if (!view) cache.set(stored, (view = (resource.view as NonNullable<Resource['view']>).fromStored(stored)));
  return view;
}

/** The selectors of a list or watch as one test on stored objects. */
export function selection(resource: Resource, query: Query): Matcher<KubeObject> {
  const extra = resource.strategy.fields ?? {};
  const names = new Set([
    'metadata.name',
    ...(resource.namespaced ? ['metadata.namespace'] : []),
    ...Object.keys(extra),
  ]);
  const byLabel = labelSelector(query.get('labelSelector') ?? undefined);
  const byField = fieldSelector(query.get('fieldSelector') ?? undefined, names);
  return (object) => {
    if (byLabel && !byLabel(object.metadata.labels ?? {})) return false;
    if (!byField) return true;
    const fields: Record<string, string> = {
      'metadata.name': object.metadata.name,
      'metadata.namespace': object.metadata.namespace ?? '',
    };
    for (const [name, read] of Object.entries(extra)) fields[name] = read(object);
    return byField(fields);
  };
}

/** A resourceVersion parameter as a number; undefined where there is none. Throws as the real server does. */
export function parseRevision(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^\d+$/.test(text)) {
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

export function tooLarge(asked: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export interface Listed {
  items: KubeObject[];
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
}

interface Token {
  v: 'meta.k8s.io/v1';
  rv: number;
  start: string;
}

const encode = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

function decodeToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
    if (token.v !== 'meta.k8s.io/v1' || typeof token.start !== 'string') throw new Error('not a token');
    return token;
  } catch {
    throw badRequest('invalid continue token: continue key is not valid: encoded continue version not recognized');
  }
}

function matchError(match: string | null, asked: number | undefined): FieldError | undefined {
  const field = 'resourceVersionMatch';
  if (!match) return undefined;
  if (asked === undefined) return forbiddenField(field, `${field} is forbidden unless resourceVersion is provided`);
  if (match !== 'Exact' && match !== 'NotOlderThan') return notSupported(field, match, ['Exact', 'NotOlderThan', '']);
  return match === 'Exact' && asked === 0
    ? forbiddenField(field, `${field} "Exact" is forbidden for resourceVersion "0"`)
    : undefined;
}

const staleContinue =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/**
 * Lists stored objects. resourceVersion as documented by Kubernetes: unset, most recent; 0, any; with
 * resourceVersionMatch=Exact (or a continue token), as it was then, or 410 once that is compacted; otherwise not older
 * than it. Pages by `limit` and `continue`.
 */
export function list(cluster: Cluster, resource: Resource, namespace: string | undefined, query: Query): Listed {
  const matches = selection(resource, query);
  const collection = cluster.store.collection(resource.storage);
  const limit = Number(query.get('limit') ?? 0) || 0;
  const match = query.get('resourceVersionMatch');
  const asked = parseRevision(query.get('resourceVersion'));
  const token = query.get('continue') ? decodeToken(query.get('continue') as string) : undefined;
  const bad = matchError(match, asked);
  if (bad) throw badOptions('ListOptions', [bad]);
  if (token && asked) throw badRequest('specifying resource version is not allowed when using continue');

  const now = cluster.store.revision;
  if (asked !== undefined && asked > now) throw tooLarge(asked, now);
  // A paged list without a match, from a revision above 0, is exact as well (the legacy rule).
  const exact = token
    ? token.rv < 0
      ? undefined
      : token.rv
    : match === 'Exact' || (!match && limit > 0 && asked)
      ? asked
      : undefined;
  let all: KubeObject[];
  try {
    all = exact === undefined ? collection.list(namespace) : collection.listAt(exact, namespace);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    const refusal = expired(token ? staleContinue : `The resourceVersion for the provided list is too old.`);
    if (token) refusal.status['metadata'] = { continue: encode({ ...token, rv: -1 }) };
    throw refusal;
  }
  const revision = exact ?? now;
  let chosen = all.filter(matches);
  if (token) {
    const position = (o: KubeObject): string => keyOf(o.metadata.namespace, o.metadata.name);
    chosen = chosen.filter((o) => position(o) > token.start);
  }
  const metadata: Listed['metadata'] = { resourceVersion: String(revision) };
  if (limit > 0 && chosen.length > limit) {
    const last = chosen[limit - 1] as KubeObject;
    metadata.continue = encode({
      v: 'meta.k8s.io/v1',
      rv: revision,
      start: keyOf(last.metadata.namespace, last.metadata.name),
    });
    // Only where no selector hides how much is left, as the real server.
    if (!query.get('labelSelector') && !query.get('fieldSelector')) metadata.remainingItemCount = chosen.length - limit;
    chosen = chosen.slice(0, limit);
  }
  return { items: chosen, metadata };
}
