import type { Cluster } from '../core/cluster.ts';

export interface ControllerOptions {
  eventTtlMs: number;
  log: (text: string) => void;
}

/** Starts what keeps the store tidy; returns the function that stops it. */
export function startControllers(_cluster: Cluster, _options: ControllerOptions): () => void {
  return () => undefined;
}
