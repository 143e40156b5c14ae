/**
 * A type of `@kubernetes/client-node` as it is on the wire. The generated classes turn times into `Date` and rename
 * fields that are TypeScript keywords (`_continue`); plain JSON has strings and the API's own names.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `_${infer Name}` ? Name : Key]: Wire<T[Key]> }
      : T;

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: object;
  subresource?: string;
};

export type ObjectMeta = {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFields[];
};

/** What every object of the API has. */
export type KubernetesObject = { apiVersion?: string; kind?: string; metadata?: ObjectMeta };

export type ListMeta = { resourceVersion?: string; continue?: string; remainingItemCount?: number };

export type KubernetesList<T> = { apiVersion?: string; kind?: string; metadata: ListMeta; items: T[] };

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** A line of a watch: a change, a bookmark (only its resourceVersion matters) or an error (the object is a Status). */
export type WatchEvent<T> =
  | { type: WatchEventType; object: T }
  | { type: 'BOOKMARK'; object: KubernetesObject }
  | { type: 'ERROR'; object: Status };

/** meta/v1 Status: how the API says what went wrong. */
export type Status = {
  kind?: string;
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
};

/** meta/v1 Condition. */
export type Condition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
};
