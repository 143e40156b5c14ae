import type { Scope } from '@keelson/contracts';

/** Who makes a request. */
export interface Principal {
  /** Tells it from every other one: `team/name`, each percent-encoded. Two teams may well call a token the same. */
  readonly id: string;
  /** Name of the token (or of the user, with a verifier that knows users); goes into audits. */
  readonly name: string;
  /** The team whose things it may touch; `*` for every team. */
  readonly team: string;
  readonly scopes: readonly Scope[];
  /** Whether things of that team are visible; what is not visible is answered as if it did not exist. */
  canSee(team: string): boolean;
  has(scope: Scope): boolean;
}

/** `scopes` may hold `*`, which stands for all. */
export function principal(options: { name: string; team: string; scopes: readonly string[] }): Principal {
  const all = options.scopes.includes('*');
  return Object.freeze({
    id: `${encodeURIComponent(options.team)}/${encodeURIComponent(options.name)}`,
    name: options.name,
    team: options.team,
    scopes: options.scopes as readonly Scope[],
    canSee: (team: string) => options.team === '*' || options.team === team,
    has: (scope: Scope) => all || options.scopes.includes(scope),
  });
}

/** Turns a bearer token into a principal: the port behind which OIDC can take the place of files. */
export interface CredentialVerifier {
  /** undefined where the token is unknown or expired. Throws where it cannot tell (the caller gets 503). */
  verify(bearer: string): Promise<Principal | undefined>;
}
