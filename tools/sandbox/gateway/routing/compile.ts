import type { Ingress, IngressBackend, PathType } from '../kubernetes-objects.ts';
import { readAnnotations, type Settings } from './annotations.ts';
import { byPrecedence } from './paths.ts';
import type { Backend, Location, RoutingTable, Server } from './table.ts';

/** Something in an Ingress that has no effect; told to its owner as a Warning event. */
export type Fault = { ingress: Ingress; reason: string; message: string };

const CATCH_ALL = '_';
type Read = { ingress: Ingress; settings: Settings };

/** Whether an Ingress is ours: by class, by the old annotation, else not. */
export function isOurs(ingress: Ingress, className: string): boolean {
  const annotation = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
  if (ingress.spec?.ingressClassName !== undefined) return ingress.spec.ingressClassName === className;
  return annotation === className;
}

/**
 * Makes the routing table from all Ingresses, as ingress-nginx does: oldest first, so that the older wins a path that
 * two claim; canaries are merged into the backend of the same host, path and path type, wherever that backend is used.
 * Pure. Faults do not stop it: what is sound is routed.
 */
export function compile(all: readonly Ingress[], className: string): { table: RoutingTable; faults: Fault[] } {
  const faults: Fault[] = [];
  const reads = all
    .filter((ingress) => isOurs(ingress, className))
    .sort(oldestFirst)
    .map((ingress): Read => {
      const { settings, faults: found } = readAnnotations(ingress.metadata.annotations);
      for (const message of found) faults.push({ ingress, reason: 'AnnotationIgnored', message });
      return { ingress, settings };
    });
  const backends = collectBackends(reads);
  const servers = new Map<string, Server>([[CATCH_ALL, { host: CATCH_ALL, locations: [], tls: undefined }]]);
  for (const read of reads) if (read.settings.canary === undefined) addPrimary(read, servers, backends, faults);
  for (const read of reads) if (read.settings.canary !== undefined) mergeCanary(read, servers, backends, faults);
  for (const server of servers.values()) server.locations.sort(byPrecedence);
  const exact = new Map<string, Server>();
  const wildcards = new Map<string, Server>();
  for (const [host, server] of servers) {
    if (host.startsWith('*.')) wildcards.set(host.slice(1), server);
    else if (host !== CATCH_ALL) exact.set(host, server);
  }
  const catchAll = servers.get(CATCH_ALL) as Server;
  return { table: { servers: exact, wildcards, catchAll, backends }, faults };
}

/** The name that ingress-nginx gives a backend; the `canary` label of its metrics shows it. */
export const backendName = (namespace: string, service: string, port: string): string =>
  `${namespace}-${service}-${port}`;

function oldestFirst(a: Ingress, b: Ingress): number {
  const older = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
  return (
    older || `${a.metadata.namespace}/${a.metadata.name}`.localeCompare(`${b.metadata.namespace}/${b.metadata.name}`)
  );
}

/** The first Ingress that names a backend decides whether it is a canary. */
function collectBackends(reads: readonly Read[]): Map<string, Backend> {
  const backends = new Map<string, Backend>();
  for (const { ingress, settings } of reads) {
    for (const reference of referencesOf(ingress)) {
      const backend = backendOf(ingress, reference);
      if (backend === undefined || backends.has(backend.name)) continue;
      backends.set(backend.name, { ...backend, policy: settings.canary });
    }
  }
  return backends;
}

function referencesOf(ingress: Ingress): IngressBackend[] {
  const paths = (ingress.spec?.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  const references = paths.map((path) => path.backend);
  return ingress.spec?.defaultBackend === undefined ? references : [ingress.spec.defaultBackend, ...references];
}

function backendOf(ingress: Ingress, reference: IngressBackend | undefined): Backend | undefined {
  const service = reference?.service;
  if (service === undefined) return undefined;
  const port = String(service.port?.name ?? service.port?.number ?? '');
  const namespace = ingress.metadata.namespace ?? '';
  const name = backendName(namespace, service.name, port);
  return { name, namespace, service: service.name, port, policy: undefined, alternatives: [] };
}

function known(
  ingress: Ingress,
  reference: IngressBackend | undefined,
  backends: ReadonlyMap<string, Backend>,
): Backend | undefined {
  const backend = backendOf(ingress, reference);
  return backend === undefined ? undefined : backends.get(backend.name);
}

function addPrimary(
  read: Read,
  servers: Map<string, Server>,
  backends: ReadonlyMap<string, Backend>,
  faults: Fault[],
): void {
  const { ingress, settings } = read;
  const owner = { namespace: ingress.metadata.namespace ?? '', name: ingress.metadata.name };
  const fallback = known(ingress, ingress.spec?.defaultBackend, backends);
  const rules = ingress.spec?.rules ?? [];
  const add = (server: Server, path: string, pathType: PathType, backend: Backend | undefined): void => {
    const taken = server.locations.find((l) => l.path === path && l.pathType === pathType);
    if (taken === undefined) {
      server.locations.push({ path, pathType, backend, ingress: owner, settings });
      return;
    }
    if (taken.ingress.namespace === owner.namespace && taken.ingress.name === owner.name) return;
    const holder = `${taken.ingress.namespace}/${taken.ingress.name}`;
    const message = `host "${server.host}" and path "${path}" are already defined in ingress ${holder}, which is older and wins`;
    faults.push({ ingress, reason: 'PathTaken', message });
  };
  if (rules.length === 0 && fallback !== undefined) add(serverOf(servers, ''), '/', 'ImplementationSpecific', fallback);
  for (const rule of rules) {
    const server = serverOf(servers, rule.host ?? '');
    for (const path of rule.http?.paths ?? []) {
      const backend = known(ingress, path.backend, backends);
      if (backend === undefined) {
        const message = `path "${path.path ?? '/'}" has a backend that is no Service; the sandbox's gateway routes to Services only`;
        faults.push({ ingress, reason: 'BackendIgnored', message });
        continue;
      }
      add(server, path.path ?? '/', path.pathType, backend);
    }
    // The Ingress's own default backend takes what none of its paths takes on this host.
    if (fallback !== undefined && !server.locations.some((l) => l.path === '/' && l.pathType !== 'Exact')) {
      add(server, '/', 'ImplementationSpecific', fallback);
    }
  }
  addTls(ingress, servers);
}

function addTls(ingress: Ingress, servers: ReadonlyMap<string, Server>): void {
  for (const { hosts = [], secretName } of ingress.spec?.tls ?? []) {
    // Without hosts the entry is for all hosts of the rules.
    const names = hosts.length > 0 ? hosts : (ingress.spec?.rules ?? []).map((rule) => rule.host ?? CATCH_ALL);
    for (const name of names) {
      const server = servers.get(name.toLowerCase());
      if (server === undefined || server.tls !== undefined) continue;
      server.tls = { secret: secretName ? `${ingress.metadata.namespace}/${secretName}` : undefined };
    }
  }
}

function serverOf(servers: Map<string, Server>, host: string): Server {
  const key = host === '' ? CATCH_ALL : host.toLowerCase();
  const server = servers.get(key) ?? { host: key, locations: [], tls: undefined };
  servers.set(key, server);
  return server;
}

function mergeCanary(
  read: Read,
  servers: ReadonlyMap<string, Server>,
  backends: ReadonlyMap<string, Backend>,
  faults: Fault[],
): void {
  const { ingress } = read;
  const fault = (message: string): void => {
    faults.push({ ingress, reason: 'CanaryIgnored', message });
  };
  const fallback = known(ingress, ingress.spec?.defaultBackend, backends);
  if (fallback !== undefined) merge(servers.get(CATCH_ALL), () => true, fallback, fault);
  for (const rule of ingress.spec?.rules ?? []) {
    const host = (rule.host ?? '') === '' ? CATCH_ALL : (rule.host ?? '').toLowerCase();
    for (const path of rule.http?.paths ?? []) {
      const canary = known(ingress, path.backend, backends);
      if (canary === undefined) continue;
      const wanted = path.path ?? '/';
      const same = (location: Location): boolean => location.path === wanted && location.pathType === path.pathType;
      const merged = merge(servers.get(host), same, canary, fault);
      if (!merged)
        fault(
          `no other Ingress has host "${host}" and ${path.pathType} path "${wanted}"; a canary needs a primary with the same`,
        );
    }
  }
}

function merge(
  server: Server | undefined,
  accepts: (location: Location) => boolean,
  canary: Backend,
  fault: (message: string) => void,
): boolean {
  let merged = false;
  for (const { backend: primary, ...location } of server?.locations ?? []) {
    if (primary === undefined || !accepts({ backend: primary, ...location })) continue;
    if (primary.name === canary.name) {
      fault(
        `backend ${canary.name} is the primary of path "${location.path}" already; a canary needs a Service of its own`,
      );
      return true;
    }
    // A backend that another Ingress brought in as a canary takes no canary itself.
    if (primary.policy !== undefined) continue;
    if (canary.policy === undefined) {
      fault(`Service ${canary.service} is a primary in an older Ingress; a canary needs a Service of its own`);
      return true;
    }
    if (!primary.alternatives.includes(canary.name)) primary.alternatives.push(canary.name);
    if (primary.alternatives[0] !== canary.name) {
      fault(`${primary.alternatives[0]} is the canary of ${primary.name} already; only one canary per backend is used`);
    }
    merged = true;
  }
  return merged;
}
