import { type Identity, ProblemError, type Scope } from '@keelson/contracts';
import { SERVICE_KEYS, type ServiceKey, SERVICES } from '../../services.ts';

/** What a service says to the token. Each keeps its own list of tokens, so one may know it and another not. */
export type Standing =
  | { readonly kind: 'asking' }
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'no-answer'; readonly reason: string };

export type Standings = Readonly<Record<ServiceKey, Standing>>;

/** Before the first answer. */
export const ASKING = Object.fromEntries(SERVICE_KEYS.map((key) => [key, { kind: 'asking' }])) as Record<
  ServiceKey,
  Standing
>;

/** Whether something may be done, and if not, why, in words for whoever wants to do it. */
export type Permission = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const ALLOWED: Permission = { allowed: true };

/** Whether the token may do what needs `scope` at that service. */
export function mayDo(standings: Standings, key: ServiceKey, scope: Scope): Permission {
  const standing = standings[key];
  const { service } = SERVICES[key];
  switch (standing.kind) {
    case 'known': {
      const { name, scopes } = standing.identity;
      if (scopes.includes('*') || scopes.includes(scope)) return ALLOWED;
      return { allowed: false, reason: `Your token “${name}” lacks the scope ${scope}.` };
    }
    case 'asking':
      return { allowed: false, reason: `${service} is being asked what you may do.` };
    case 'unknown':
      return { allowed: false, reason: `${service} does not know your token.` };
    case 'no-answer':
      // A reading may be tried all the same: it says itself why it fails, and mends itself.
      if (scope.endsWith(':read')) return ALLOWED;
      return { allowed: false, reason: `${service} does not answer, so it cannot be done now.` };
    default:
      return standing satisfies never;
  }
}

/** Asks all services whose the token is. What was known `before` holds while a service does not answer. */
export async function readStandings(
  ask: Readonly<Record<ServiceKey, { whoAmI: (input: { signal?: AbortSignal }) => Promise<Identity> }>>,
  { signal, before }: { signal?: AbortSignal; before?: Standings } = {},
): Promise<Standings> {
  const standings = await Promise.all(
    SERVICE_KEYS.map(async (key): Promise<Standing> => {
      try {
        return { kind: 'known', identity: await ask[key].whoAmI(signal === undefined ? {} : { signal }) };
      } catch (error) {
        if (error instanceof ProblemError && error.status === 401) return { kind: 'unknown' };
        const known = before?.[key];
        if (known?.kind === 'known') return known;
        return { kind: 'no-answer', reason: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  return Object.fromEntries(SERVICE_KEYS.map((key, at) => [key, standings[at]!])) as Record<ServiceKey, Standing>;
}

/** The identity to show: the first that a service knows. */
export function identityOf(standings: Standings): Identity | undefined {
  for (const key of SERVICE_KEYS) {
    const standing = standings[key];
    if (standing.kind === 'known') return standing.identity;
  }
  return undefined;
}
