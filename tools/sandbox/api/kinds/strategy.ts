import type { FieldError } from '../http/status.ts';
import type { Json, KubeObject } from '../json.ts';

/** What a strategy may ask of the cluster. */
export interface Context {
  now: Date;
  /** Looks up any built-in object, for admission: `core/v1` kinds by plural, `networking.k8s.io/ingressclasses` and so on. */
  find(collection: string, namespace: string | undefined, name: string): KubeObject | undefined;
  list(collection: string, namespace?: string): KubeObject[];
  /** The object before an update; rules about a change need it. */
  old?: KubeObject;
}

export interface Column {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  priority?: number;
  description?: string;
  value(object: KubeObject, now: Date): Json;
}

export type NameRule = 'subdomain' | 'label' | 'label1035' | 'path-segment';

/**
 * What is special about one kind. Everything is optional: a kind without any of it is stored as it comes, with its
 * metadata checked. Functions change the draft they are given; it is a copy of their own.
 */
export interface Strategy {
  name?: NameRule;
  /** Fills in what the real API server's defaulting does; called on every write. */
  defaults?(draft: Json): void;
  /** On create only, after defaults: allocated fields, initial status. */
  onCreate?(draft: Json, context: Context): void;
  /** On update of the main resource, after defaults: fields that are kept from the old object when left out. */
  onUpdate?(draft: Json, old: KubeObject): void;
  /** Faults of the object as such. */
  validate?(object: Json, context: Context): FieldError[];
  /** Faults of a change: immutable fields. `subresource` is '' for the main resource. */
  validateUpdate?(object: Json, old: Json, subresource: string): FieldError[];
  /** Whether a change counts into metadata.generation; absent: the kind has no generation. */
  generation?: (object: Json) => Json;
  /** Fields for field selectors beside metadata.name and metadata.namespace. */
  fields?: Record<string, (object: Json) => string>;
  columns?: readonly Column[];
  /** How long to wait between a delete and the object's end, in seconds; absent: none. */
  gracePeriod?(object: Json, asked: number | undefined): number;
  /** Objects that may be replaced without a resourceVersion; false for custom resources. */
  unconditionalUpdate?: boolean;
  /** A delete answers with the object rather than with a Status. */
  returnsDeleted?: boolean;
  /** Warnings for the client, as HTTP Warning headers. */
  warnings?(object: Json): string[];
  /** Last word before an object is deleted; throw to refuse. */
  beforeDelete?(object: KubeObject): void;
}

export const specGeneration = (object: Json): Json => object.spec;
