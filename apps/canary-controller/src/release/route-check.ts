import type { ReleaseState, Snapshot } from './state.ts';

/** Whether the cluster shows the route that the state asks for. */
export function isRouteAsAsked({ route, spec }: Pick<Snapshot, 'route' | 'spec'>, state: ReleaseState): boolean {
  switch (state.phase) {
    case 'Progressing':
    case 'Paused':
      return route.canaryWeight === state.weight;
    case 'Promoting':
      return route.stableBackend === spec.canary.service && route.canaryWeight === undefined;
    case 'Pending':
    case 'RollingBack':
    case 'Promoted':
    case 'RolledBack':
    case 'Refused':
      return route.canaryWeight === undefined;
    default:
      return state.phase satisfies never;
  }
}

/** The state with what keeps the cluster from following it; itself where that is known already. */
export function withTrouble(state: ReleaseState, trouble: string | undefined): ReleaseState {
  return state.trouble === trouble ? state : { ...state, trouble };
}

/** What others did to the route under a release is told while it lasts; a change that failed, until it is made. */
export function troubleIn(snapshot: Snapshot, state: ReleaseState): string | undefined {
  return routeProblem(snapshot, state) ?? (isRouteAsAsked(snapshot, state) ? undefined : state.trouble);
}

function routeProblem({ route, spec }: Snapshot, state: ReleaseState): string | undefined {
  const { ingress, host, path } = spec.route;
  const backends = {
    Progressing: [spec.stable.service],
    Paused: [spec.stable.service],
    Promoting: [spec.stable.service, spec.canary.service],
  } as const;
  if (!(state.phase in backends)) return undefined;
  if (route.nameTakenBy !== undefined)
    return `Ingress ${route.nameTakenBy} is somebody else's; rename it or the Canary`;
  if (route.stableBackend === undefined) return `Ingress ${ingress} carries ${host}${path} no longer`;
  const allowed: readonly string[] = backends[state.phase as keyof typeof backends];
  if (allowed.includes(route.stableBackend)) return undefined;
  return `Ingress ${ingress} was changed: it sends ${host}${path} to Service ${route.stableBackend}, not to ${spec.stable.service}`;
}
