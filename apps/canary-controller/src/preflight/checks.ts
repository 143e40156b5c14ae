import type { CanarySpec } from '@keelson/contracts';
import type { Finding, ReleaseState } from '../release/state.ts';
import { locateRoute, type Ingress } from '../routing/ingress-nginx.ts';

/** What the checks look at, read from the cluster and the database at one moment. */
export interface PreflightInput {
  readonly canary: { readonly namespace: string; readonly name: string; readonly team: string };
  readonly spec: CanarySpec;
  readonly ingress: Ingress | undefined;
  readonly stableService: ServiceView | undefined;
  readonly canaryService: ServiceView | undefined;
  /** Pod template labels of the two Deployments, where they exist. */
  readonly stableLabels: Readonly<Record<string, string>> | undefined;
  readonly canaryLabels: Readonly<Record<string, string>> | undefined;
  /** Name of an Ingress of somebody else where ours would be made. */
  readonly nameTakenBy: string | undefined;
  /** The release of another Canary that is under way on this host and path, in whichever namespace. */
  readonly rival: Rival | undefined;
}

export interface Rival {
  readonly namespace: string;
  readonly name: string;
  readonly team: string;
  readonly state: Pick<ReleaseState, 'phase'>;
}

export interface ServiceView {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name?: string; readonly port: number }[];
}

type Check = (input: PreflightInput) => Finding | undefined;

/** Each check is one way in which traffic would go wrong; all run, so that one answer names every fault. */
const checks: readonly Check[] = [
  sameVersion,
  ingressMissing,
  stableBackend,
  routeTaken,
  ingressNameTaken,
  missingPort,
  selectorMatchesBoth,
  selectorMisses,
];

/** Every reason why this Canary must not touch traffic; empty where there is none. */
export function preflight(input: PreflightInput): Finding[] {
  return checks.map((check) => check(input)).filter((finding) => finding !== undefined);
}

function sameVersion({ spec }: PreflightInput): Finding | undefined {
  for (const part of ['deployment', 'service'] as const) {
    if (spec.stable[part] === spec.canary[part]) {
      return {
        check: 'same-version',
        detail: `spec.stable.${part} and spec.canary.${part} are both ${spec.canary[part]}; the new version needs a ${part === 'service' ? 'Service' : 'Deployment'} of its own`,
      };
    }
  }
  return undefined;
}

function ingressMissing({ spec, ingress }: PreflightInput): Finding | undefined {
  if (!ingress) {
    return { check: 'ingress-missing', detail: `Ingress ${spec.route.ingress} (spec.route.ingress) does not exist` };
  }
  if (!locateRoute(ingress, spec.route)) {
    return {
      check: 'route-missing',
      detail: `Ingress ${spec.route.ingress} has no rule for host ${spec.route.host} and path ${spec.route.path} (spec.route)`,
    };
  }
  return undefined;
}

function stableBackend({ spec, ingress }: PreflightInput): Finding | undefined {
  const entry = ingress && locateRoute(ingress, spec.route)?.entry;
  if (!entry || entry.backend.service?.name === spec.stable.service) return undefined;
  const backend = entry.backend.service ? `Service ${entry.backend.service.name}` : 'a backend that is no Service';
  return {
    check: 'stable-backend',
    detail: `Ingress ${spec.route.ingress} sends ${spec.route.host}${spec.route.path} to ${backend}, not to Service ${spec.stable.service} (spec.stable.service)`,
  };
}

function routeTaken({ canary, spec, rival }: PreflightInput): Finding | undefined {
  if (!rival) return undefined;
  const { host, path } = spec.route;
  return {
    check: 'route-taken',
    detail: `${nameOfRival(rival, rival.team === canary.team)} is ${rival.state.phase} on host ${host} and path ${path}; ingress-nginx honours one canary for each, so wait for it or abort it`,
  };
}

/** How a rival is called to somebody who may or may not see it. */
export function nameOfRival({ namespace, name }: Rival, visible: boolean): string {
  return visible ? `Canary ${namespace}/${name}` : 'a Canary of another team';
}

function ingressNameTaken({ nameTakenBy, canary }: PreflightInput): Finding | undefined {
  if (nameTakenBy === undefined) return undefined;
  return {
    check: 'ingress-name-taken',
    detail: `Ingress ${nameTakenBy} exists and is not of this controller, which would make one of that name; rename it or the Canary ${canary.name}`,
  };
}

function missingPort({ spec, ingress, canaryService }: PreflightInput): Finding | undefined {
  const port = ingress && locateRoute(ingress, spec.route)?.entry.backend.service?.port;
  if (!port || !canaryService) return undefined;
  const found = canaryService.ports.some((one) =>
    port.name === undefined ? one.port === port.number : one.name === port.name,
  );
  return found
    ? undefined
    : {
        check: 'missing-port',
        detail: `Service ${spec.canary.service} has no port ${port.name ?? port.number}, which Ingress ${spec.route.ingress} uses; it has ${canaryService.ports.map((one) => one.name ?? one.port).join(', ') || 'none'}`,
      };
}

function selectorMatchesBoth(input: PreflightInput): Finding | undefined {
  const pairs = [
    {
      service: input.spec.stable.service,
      view: input.stableService,
      labels: input.canaryLabels,
      other: input.spec.canary.deployment,
    },
    {
      service: input.spec.canary.service,
      view: input.canaryService,
      labels: input.stableLabels,
      other: input.spec.stable.deployment,
    },
  ];
  for (const { service, view, labels, other } of pairs) {
    if (view && labels && matches(view.selector, labels)) {
      return {
        check: 'selector-matches-both',
        detail: `Service ${service} also selects the pods of Deployment ${other}; give its selector a label that tells the versions apart`,
      };
    }
  }
  return undefined;
}

function selectorMisses(input: PreflightInput): Finding | undefined {
  const { spec, canaryService, canaryLabels } = input;
  if (!canaryService || !canaryLabels || matches(canaryService.selector, canaryLabels)) return undefined;
  const terms = Object.entries(canaryService.selector).map(([name, value]) => `${name}=${value}`);
  return {
    check: 'selector-misses',
    detail: `Service ${spec.canary.service} selects ${terms.join(', ') || 'nothing'}, which the pods of Deployment ${spec.canary.deployment} are not labelled with`,
  };
}

function matches(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const terms = Object.entries(selector);
  return terms.length > 0 && terms.every(([name, value]) => labels[name] === value);
}
