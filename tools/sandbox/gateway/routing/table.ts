import type { CanaryPolicy } from '../canary/policy.ts';
import type { PathType } from '../kubernetes-objects.ts';
import type { Settings } from './annotations.ts';
import { pathMatches } from './paths.ts';

/** A Service's port, by ingress-nginx's name for it: `namespace-service-port`. */
export type Backend = {
  name: string;
  namespace: string;
  service: string;
  /** As the Ingress writes it: a number or a name. */
  port: string;
  /** Set when the backend was brought in by a canary Ingress. */
  policy: CanaryPolicy | undefined;
  /** Names of the canaries merged into it; only the first is used, as in ingress-nginx. */
  alternatives: string[];
};

export type Location = {
  path: string;
  pathType: PathType;
  /** Undefined: the default backend, 404. */
  backend: Backend | undefined;
  ingress: { namespace: string; name: string };
  settings: Settings;
};

export type Server = {
  /** `_` is the catch-all. */
  host: string;
  /** By precedence. */
  locations: Location[];
  /** Set when an Ingress has the host in `spec.tls`; without a Secret the default certificate serves. */
  tls: { secret: string | undefined } | undefined;
};

export type RoutingTable = {
  servers: ReadonlyMap<string, Server>;
  /** Under the part after `*`, e.g. `.example.com`. */
  wildcards: ReadonlyMap<string, Server>;
  catchAll: Server;
  backends: ReadonlyMap<string, Backend>;
};

/** The server of a host: exact before wildcard (one label only) before the catch-all. `host` is lower-case, no port. */
export function findServer(table: RoutingTable, host: string): Server {
  const exact = table.servers.get(host);
  if (exact !== undefined) return exact;
  const dot = host.indexOf('.');
  return (dot > 0 ? table.wildcards.get(host.slice(dot)) : undefined) ?? table.catchAll;
}

/** The location of a normalised path; undefined: nothing takes it. */
export function findLocation(server: Server, path: string): Location | undefined {
  return server.locations.find((location) => pathMatches(location.pathType, location.path, path));
}
