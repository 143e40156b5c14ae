import type { ReleaseState } from '../release/state.ts';

/**
 * What the route must look like in a state. Promotion goes in an order that never leaves a request without a ready
 * backend: everything through the canary Ingress first, then the user's Ingress is switched, then ours goes away.
 */
export type DesiredRoute =
  /**
   * Our canary Ingress must not be there; the user's stays as it is. So it is kept after the end, too: a write that
   * another replica sent while it still led may arrive late.
   */
  | { readonly kind: 'none' }
  /** Our canary Ingress takes this share of the requests. */
  | { readonly kind: 'split'; readonly weight: number }
  /** The user's Ingress must point to the new Service, ours is removed after that. */
  | { readonly kind: 'switch' };

/** Derives the route from the state alone, so that it can be brought about again after a crash at any point. */
export function desiredRoute(state: Pick<ReleaseState, 'phase' | 'weight'>): DesiredRoute {
  switch (state.phase) {
    case 'Pending':
    case 'RollingBack':
    case 'Refused':
    case 'Promoted':
    case 'RolledBack':
      return { kind: 'none' };
    case 'Progressing':
    case 'Paused':
      return { kind: 'split', weight: state.weight };
    case 'Promoting':
      return { kind: 'switch' };
    default:
      return state.phase satisfies never;
  }
}
