import { badOptions, expired, forbiddenField } from '../http/status.ts';
import type { JsonObject, KubeObject } from '../json.ts';
import type { Resource } from '../registry.ts';
import { type Change, CompactedError } from '../store/collection.ts';
import type { Cluster } from './cluster.ts';
import { type Query, parseRevision, selection } from './read.ts';

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }
  | { type: 'BOOKMARK'; object: JsonObject }
  | { type: 'ERROR'; object: JsonObject };

export interface WatchSink {
  send(event: WatchEvent): void;
  /** Ends the stream; the client comes back with its last resourceVersion. */
  end(): void;
}

export interface WatchTimes {
  /** How often a bookmark is sent to a watch that allows them. */
  bookmarkMs: number;
}

/**
 * Starts a watch: what happened after the asked resourceVersion, then what happens. Without one (or with 0) the
 * present objects come first, as ADDED. A resourceVersion that is compacted gives one ERROR event with code 410
 * inside an otherwise fine answer, as kube-apiserver does. Returns the function that stops it.
 */
export function watch(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  query: Query,
  sink: WatchSink,
  times: WatchTimes,
): () => void {
  const collection = cluster.store.collection(resource.storage);
  const matches = selection(resource, query);
  const inScope = (object: KubeObject): boolean =>
    (namespace === undefined || object.metadata.namespace === namespace) && matches(object);
  const asked = parseRevision(query.get('resourceVersion'));
  const initial = query.get('sendInitialEvents') === 'true';
  checkInitial(query, initial);
  // A revision that is still to come is waited for, as etcd does.
  const from = asked ?? 0;

  const emit = (change: Change): void => {
    if (change.revision <= from) return;
    const is = change.type !== 'DELETED' && inScope(change.object);
    const was = change.previous !== undefined && inScope(change.previous);
    if (is) sink.send({ type: was ? 'MODIFIED' : 'ADDED', object: change.object });
    else if (was) {
      // An object that leaves the selection is gone for this watch; it carries the revision at which it left.
      const last =
        change.type === 'DELETED'
          ? change.object
          : {
              ...change.previous,
              metadata: { ...change.previous?.metadata, resourceVersion: String(change.revision) },
            };
      sink.send({ type: 'DELETED', object: last as KubeObject });
    }
  };
  const bookmark = (annotations?: Record<string, string>): void =>
    sink.send({
      type: 'BOOKMARK',
      object: {
        kind: resource.kind,
        apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
        metadata: {
          resourceVersion: String(cluster.store.revision),
          creationTimestamp: null,
          ...(annotations ? { annotations } : {}),
        },
      },
    });

  if (asked === undefined || asked === 0 || initial) {
    if (initial || asked !== undefined || query.get('sendInitialEvents') !== 'false') {
      for (const object of collection.list(namespace)) if (inScope(object)) sink.send({ type: 'ADDED', object });
    }
    if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' });
  } else {
    try {
      for (const change of collection.since(asked)) emit(change);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      sink.send({ type: 'ERROR', object: expired(`too old resource version: ${asked} (${error.oldest})`).status });
      sink.end();
      return () => undefined;
    }
  }

  const stopListening = collection.listen(emit);
  const stopClosing = collection.onClose(() => sink.end());
  const timers: NodeJS.Timeout[] = [];
  const allowsBookmarks = query.get('allowWatchBookmarks') === 'true';
  if (allowsBookmarks) timers.push(setInterval(bookmark, times.bookmarkMs));
  const seconds = Number(query.get('timeoutSeconds') ?? 0) || 0;
  if (seconds > 0) {
    // As kube-apiserver: a last bookmark two seconds before the end, so that a resumed watch starts late.
    if (allowsBookmarks) timers.push(setTimeout(bookmark, Math.max(0, seconds - 2) * 1000));
    timers.push(setTimeout(() => sink.end(), seconds * 1000));
  }
  return () => {
    stopListening();
    stopClosing();
    for (const timer of timers) clearTimeout(timer);
  };
}

function checkInitial(query: Query, initial: boolean): void {
  const field = 'sendInitialEvents';
  if (query.get('resourceVersionMatch') && !query.get(field)) {
    throw badOptions('ListOptions', [
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    ]);
  }
  if (initial && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badOptions('ListOptions', [
      forbiddenField('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    ]);
  }
}
