import type { Cluster } from '../core/cluster.ts';
import { followDefinitions } from './definitions.ts';
import { expireEvents } from './event-ttl.ts';
import { collectGarbage } from './garbage.ts';
import { followNamespaces } from './namespaces.ts';

export interface ControllerOptions {
  eventTtlMs: number;
  log: (text: string) => void;
}

/**
 * Starts what a real cluster's API server and controller manager do to the store by themselves: custom resources are
 * served, namespaces emptied, dependents collected, old Events dropped. Returns the function that stops it.
 */
export function startControllers(cluster: Cluster, options: ControllerOptions): () => void {
  followDefinitions(cluster);
  followNamespaces(cluster);
  collectGarbage(cluster);
  return expireEvents(cluster, options.eventTtlMs);
}
