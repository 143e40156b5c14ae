import type { Schema } from './schema/schema.ts';
import type { KubeObject } from './json.ts';
import type { Strategy } from './kinds/strategy.ts';

export interface ScalePaths {
  specPath: string;
  statusPath: string;
  selectorPath?: string;
}

/** One served resource, built in or custom: routes, discovery, storage and behaviour all come from this. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string;
  namespaced: boolean;
  shortNames: readonly string[];
  categories: readonly string[];
  verbs: readonly string[];
  status: boolean;
  scale?: ScalePaths;
  /** The collection it is kept in; two views of one storage (events) share it. */
  storage: string;
  schema: Schema;
  strategy: Strategy;
  view?: { toStored(object: KubeObject): KubeObject; fromStored(object: KubeObject): KubeObject };
  /** Where a view's stored shape is not its own: the schema of that, which managedFields speak of. */
  storedSchema?: Schema;
  /** Custom resources only. */
  custom?: boolean;
}

export const apiVersionOf = (r: { group: string; version: string }): string =>
  r.group ? `${r.group}/${r.version}` : r.version;

/** The schema of what is stored; managedFields are kept in its terms, one bookkeeping for all views. */
export const storedSchema = (r: Resource): Schema => r.storedSchema ?? r.schema;

const id = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;

/** The resources served now. Custom ones come and go with their definitions. */
export class Registry {
  readonly #resources = new Map<string, Resource>();
  #generation = 0;

  constructor(resources: readonly Resource[]) {
    for (const r of resources) this.#resources.set(id(r.group, r.version, r.plural), r);
  }

  /** Counts changes: what is derived from the registry (discovery, OpenAPI) is cached under it. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.get(id(group, version, plural));
  }

  /** By the kind that owner references and manifests carry. */
  byKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all().find((r) => r.kind === kind && apiVersionOf(r) === apiVersion);
  }

  all(): Resource[] {
    return [...this.#resources.values()];
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.all().some((r) => r.group === group && r.version === version);
  }

  /** Replaces the served versions of one custom resource. */
  setCustom(group: string, plural: string, versions: readonly Resource[]): void {
    for (const [key, r] of this.#resources) {
      if (r.custom && r.group === group && r.plural === plural) this.#resources.delete(key);
    }
    for (const r of versions) this.#resources.set(id(r.group, r.version, r.plural), r);
    this.#generation++;
  }
}
