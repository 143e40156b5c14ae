import { type Resource, type Registry, apiVersionOf } from '../registry.ts';
import type { Json } from '../json.ts';

/** Resources that are only created, never stored: reviews, and subresources beside status and scale. */
const reviews = [
  ['authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview'],
  ['authentication.k8s.io', 'tokenreviews', 'TokenReview'],
  ['authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'],
  ['authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview'],
] as const;

const extra: Record<string, { name: string; kind: string; verbs: string[]; group?: string; version?: string }[]> = {
  '/pods': [
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
  ],
  '/serviceaccounts': [
    { name: 'token', kind: 'TokenRequest', verbs: ['create'], group: 'authentication.k8s.io', version: 'v1' },
  ],
};

interface Subresource {
  name: string;
  kind: string;
  verbs: readonly string[];
  group?: string;
  version?: string;
}

function subresources(r: Resource): Subresource[] {
  const verbs = ['get', 'patch', 'update'];
  return [
    ...(extra[r.storage] && !r.custom ? (extra[r.storage] as Subresource[]) : []),
    ...(r.scale ? [{ name: 'scale', kind: 'Scale', verbs, group: 'autoscaling', version: 'v1' }] : []),
    ...(r.status ? [{ name: 'status', kind: r.kind, verbs }] : []),
  ];
}

const versionRank = (version: string): number => {
  const m = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!m) return -1;
  const stage = { alpha: 1, beta: 2, ga: 3 }[m[2] ?? 'ga'] ?? 0;
  return stage * 1e6 + Number(m[1]) * 1e3 + Number(m[3] ?? 0);
};

/** Groups with their versions, the preferred one first; the core group is ''. */
export function groups(registry: Registry): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { group, version } of [...registry.all(), ...reviews.map(([group]) => ({ group, version: 'v1' }))]) {
    found.set(group, (found.get(group) ?? new Set()).add(version));
  }
  return new Map([...found].map(([g, v]) => [g, [...v].sort((a, b) => versionRank(b) - versionRank(a))]));
}

/** `/api/v1`, `/apis/GROUP/VERSION`: an APIResourceList; undefined where nothing is served. */
export function resourceList(registry: Registry, group: string, version: string): Json {
  const resources: Json[] = [];
  for (const r of registry.all().filter((x) => x.group === group && x.version === version)) {
    resources.push({
      name: r.plural,
      singularName: r.singular,
      namespaced: r.namespaced,
      kind: r.kind,
      verbs: r.verbs,
      ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
      ...(r.categories.length ? { categories: r.categories } : {}),
      storageVersionHash: Buffer.from(`${group}/${r.plural}`).toString('base64').slice(0, 12),
    });
    for (const s of subresources(r)) {
      resources.push({
        name: `${r.plural}/${s.name}`,
        singularName: '',
        namespaced: r.namespaced,
        ...(s.group ? { group: s.group, version: s.version } : {}),
        kind: s.kind,
        verbs: s.verbs,
      });
    }
  }
  if (version === 'v1') {
    for (const [g, name, kind] of reviews) {
      if (g === group)
        resources.push({ name, singularName: kind.toLowerCase(), namespaced: false, kind, verbs: ['create'] });
    }
  }
  if (resources.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources };
}

const groupJson = (name: string, versions: string[]): Json => {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
};

/** `/apis`: every group but the core one. */
export const groupList = (registry: Registry): Json => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...groups(registry)].filter(([name]) => name !== '').map(([name, versions]) => groupJson(name, versions)),
});

/** `/apis/GROUP`. */
export function oneGroup(registry: Registry, name: string): Json {
  const versions = groups(registry).get(name);
  return versions && { kind: 'APIGroup', apiVersion: 'v1', ...groupJson(name, versions) };
}

/** Aggregated discovery (apidiscovery.k8s.io/v2): all of `/api` or `/apis` in one answer, which kubectl prefers. */
export function aggregated(registry: Registry, core: boolean): Json {
  const items = [...groups(registry)]
    .filter(([name]) => (name === '') === core)
    .map(([name, versions]) => ({
      metadata: name ? { name, creationTimestamp: null } : { creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        freshness: 'Current',
        resources: aggregatedResources(registry, name, version),
      })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResources(registry: Registry, group: string, version: string): Json[] {
  const out: Json[] = registry
    .all()
    .filter((r) => r.group === group && r.version === version)
    .map((r) => ({
      resource: r.plural,
      responseKind: { group, version, kind: r.kind },
      scope: r.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: r.singular,
      verbs: r.verbs,
      ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
      ...(r.categories.length ? { categories: r.categories } : {}),
      subresources: subresources(r).map((s) => ({
        subresource: s.name,
        responseKind: { group: s.group ?? group, version: s.version ?? version, kind: s.kind },
        verbs: s.verbs,
      })),
    }));
  for (const [g, name, kind] of version === 'v1' ? reviews : []) {
    if (g !== group) continue;
    const responseKind = { group, version, kind };
    out.push({
      resource: name,
      responseKind,
      scope: 'Cluster',
      singularResource: kind.toLowerCase(),
      verbs: ['create'],
    });
  }
  return out;
}
