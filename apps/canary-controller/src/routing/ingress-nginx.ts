import type { CanarySpec } from '@keelson/contracts';

/** The fields of a networking.k8s.io/v1 Ingress that the controller reads and writes. */
export interface Ingress {
  apiVersion: 'networking.k8s.io/v1';
  kind: 'Ingress';
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller: boolean }[];
  };
  spec: {
    ingressClassName?: string;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: { host?: string; http?: { paths: IngressPath[] } }[];
  };
}

export interface IngressPath {
  path?: string;
  pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  backend: { service?: { name: string; port: { number?: number; name?: string } } };
}

/** Prefix of ingress-nginx's annotations, https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary */
const NGINX = 'nginx.ingress.kubernetes.io/';

/** Label on every object that the controller makes: the Canary's name. */
export const CANARY_LABEL = 'keelson.dev/canary';

/** Where in an Ingress a host and path is, and what it says there. */
export interface RouteLocation {
  readonly rule: number;
  readonly path: number;
  readonly entry: IngressPath;
}

/** Finds the entry of the user's Ingress that carries `spec.route`; undefined where host and path are not in it. */
export function locateRoute(ingress: Ingress, route: CanarySpec['route']): RouteLocation | undefined {
  for (const [ruleIndex, rule] of (ingress.spec.rules ?? []).entries()) {
    if ((rule.host ?? '*') !== route.host) continue;
    for (const [pathIndex, entry] of (rule.http?.paths ?? []).entries()) {
      if ((entry.path ?? '/') === route.path) return { rule: ruleIndex, path: pathIndex, entry };
    }
  }
  return undefined;
}

/** Name of the canary Ingress: the Canary's own, so that two Canaries never write the same one. */
export const canaryIngressName = (canary: { name: string }): string => `${canary.name}-keelson`;

/**
 * The Ingress that takes a share of the requests of `stable`'s route. It repeats host, path, path type and class of the
 * user's Ingress and differs in backend and annotations alone, as ingress-nginx wants it.
 */
export function canaryIngress(
  canary: { name: string; namespace: string; uid: string; apiVersion: string },
  spec: CanarySpec,
  stable: Ingress,
  location: RouteLocation,
  weight: number,
): Ingress {
  const annotations: Record<string, string> = {
    [`${NGINX}canary`]: 'true',
    [`${NGINX}canary-weight`]: String(weight),
  };
  const { header, cookie } = spec.match ?? {};
  if (header) {
    annotations[`${NGINX}canary-by-header`] = header.name;
    if (header.value !== undefined) annotations[`${NGINX}canary-by-header-value`] = header.value;
    else if (header.pattern !== undefined) annotations[`${NGINX}canary-by-header-pattern`] = header.pattern;
  }
  if (cookie !== undefined) annotations[`${NGINX}canary-by-cookie`] = cookie;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: canaryIngressName(canary),
      namespace: canary.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'keelson-canary-controller', [CANARY_LABEL]: canary.name },
      annotations,
      // Removing the Canary removes this Ingress with it, which leaves the user's route as it was.
      ownerReferences: [
        { apiVersion: canary.apiVersion, kind: 'Canary', name: canary.name, uid: canary.uid, controller: true },
      ],
    },
    spec: {
      ...(stable.spec.ingressClassName === undefined ? {} : { ingressClassName: stable.spec.ingressClassName }),
      rules: [
        {
          ...(spec.route.host === '*' ? {} : { host: spec.route.host }),
          http: {
            paths: [
              {
                path: location.entry.path ?? '/',
                pathType: location.entry.pathType,
                backend: {
                  service: { name: spec.canary.service, port: location.entry.backend.service?.port ?? { number: 80 } },
                },
              },
            ],
          },
        },
      ],
    },
  };
}

/** Weight that a canary Ingress asks for; 0 where its annotation is missing or no number, as ingress-nginx reads it. */
export function weightOf(ingress: Ingress): number {
  const weight = Number(ingress.metadata.annotations?.[`${NGINX}canary-weight`]);
  return Number.isInteger(weight) ? weight : 0;
}

/**
 * JSON patch (RFC 6902) that points the user's Ingress to another Service. `test` makes it fail rather than overwrite
 * when someone changed the entry meanwhile. Not server-side apply: `spec.rules` is one atomic list there, and applying
 * it would take all of the user's rules away from their owner.
 */
export function switchBackendPatch(location: RouteLocation, from: string, to: string) {
  const pointer = `/spec/rules/${location.rule}/http/paths/${location.path}/backend/service/name`;
  return [
    { op: 'test', path: pointer, value: from },
    { op: 'replace', path: pointer, value: to },
  ] as const;
}
