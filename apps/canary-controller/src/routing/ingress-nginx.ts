import type { CanarySpec } from '@keelson/contracts';
import { isDeepStrictEqual } from 'node:util';

/** The fields of a networking.k8s.io/v1 Ingress that the controller reads and writes. */
export interface Ingress {
  apiVersion: 'networking.k8s.io/v1';
  kind: 'Ingress';
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    resourceVersion?: string;
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

/** How clusters without IngressClass name the class; the canary Ingress must be of the same one. */
const LEGACY_CLASS = 'kubernetes.io/ingress.class';

/** Label on every object that the controller makes: the Canary's name. */
export const CANARY_LABEL = 'keelson.dev/canary';
const MANAGED_BY = 'app.kubernetes.io/managed-by';
const MANAGER = 'keelson-canary-controller';

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

/** Whether an Ingress of that name was made by this controller for a Canary of this name; others' are left alone. */
export function isCanaryIngress(ingress: Ingress, canary: { name: string }): boolean {
  const { labels } = ingress.metadata;
  return labels?.[MANAGED_BY] === MANAGER && labels[CANARY_LABEL] === canary.name;
}

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
  const legacyClass = stable.metadata.annotations?.[LEGACY_CLASS];
  if (legacyClass !== undefined) annotations[LEGACY_CLASS] = legacyClass;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: canaryIngressName(canary),
      namespace: canary.namespace,
      labels: { [MANAGED_BY]: MANAGER, [CANARY_LABEL]: canary.name },
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

/** Whether what is there says all that is wanted; further labels and annotations of others do no harm. */
export function says(wanted: Ingress, present: Ingress): boolean {
  const has = (want: Readonly<Record<string, string>> = {}, have: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(want).every(([name, value]) => have[name] === value);
  const uidOf = ({ metadata }: Ingress): string | undefined => metadata.ownerReferences?.[0]?.uid;
  return (
    has(wanted.metadata.labels, present.metadata.labels) &&
    has(wanted.metadata.annotations, present.metadata.annotations) &&
    uidOf(wanted) === uidOf(present) &&
    isDeepStrictEqual(wanted.spec.ingressClassName, present.spec.ingressClassName) &&
    isDeepStrictEqual(wanted.spec.rules, present.spec.rules)
  );
}

/**
 * The part of the user's Ingress that is applied to point its entry to another Service. `spec.rules` is one atomic list
 * for server-side apply, so all of it is said, as it was read; the resourceVersion makes the API server refuse it (409)
 * where somebody changed the Ingress since.
 */
export function switchedIngress(stable: Ingress, location: RouteLocation, service: string): Ingress {
  const { name, namespace, resourceVersion } = stable.metadata;
  const rules = structuredClone(stable.spec.rules ?? []);
  const backend = rules[location.rule]?.http?.paths[location.path]?.backend.service;
  if (backend) backend.name = service;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { rules },
  };
}
