import type { KubernetesObject } from './wire.ts';

/** What any call takes. */
export type CallOptions = {
  signal?: AbortSignal | undefined;
  /** For the whole call; default 30 s. */
  timeoutMs?: number | undefined;
};

export type ObjectOptions = CallOptions & { namespace?: string | undefined; name: string };
export type SelectOptions = {
  /** Of a namespaced resource; without it, all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
};
export type ListOptions = CallOptions &
  SelectOptions & {
    limit?: number | undefined;
    continue?: string | undefined;
    resourceVersion?: string | undefined;
    resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  };
export type WriteOptions = CallOptions & {
  /** Default: the object's own namespace, else the kubeconfig context's. */
  namespace?: string | undefined;
  /** Checked and answered as if done, but not stored. */
  dryRun?: boolean | undefined;
  fieldManager?: string | undefined;
  subresource?: string | undefined;
  /** Unknown and doubled fields: refuse (default), warn, or drop silently. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
};
export type ApplyOptions = WriteOptions & {
  /** Who owns the applied fields. */
  fieldManager: string;
  /** Take fields over from other managers instead of reporting a conflict. */
  force?: boolean | undefined;
};
export type PatchOptions = Omit<WriteOptions, 'namespace'> & {
  namespace?: string | undefined;
  name: string;
  /** `merge` (RFC 7396, default), `json` (RFC 6902) or `strategic` (built-in resources only). */
  type?: 'merge' | 'json' | 'strategic' | undefined;
};
export type DeleteOptions = ObjectOptions & {
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  /** Refuse (409) unless these still hold. */
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  dryRun?: boolean | undefined;
};
export type WatchRequest = SelectOptions & {
  resourceVersion: string;
  timeoutSeconds: number;
  headersTimeoutMs: number;
  signal: AbortSignal;
};
export type LogOptions = CallOptions & {
  namespace?: string | undefined;
  name: string;
  container?: string | undefined;
  tailLines?: number | undefined;
  previous?: boolean | undefined;
  timestamps?: boolean | undefined;
  sinceSeconds?: number | undefined;
};

/** autoscaling/v1 Scale. */
export type Scale = KubernetesObject & {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
};
