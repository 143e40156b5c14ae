/**
 * What a token may do. `<resource>:<act>`; `read` never changes anything. A token carries a team and a list of these;
 * `*` stands for all of them and team `*` for every team (platform operators).
 */
export const SCOPES = [
  'certificates:read',
  'certificates:write',
  'certificates:revoke',
  'events:read',
  'events:write',
  'events:replay',
  'canaries:read',
  'canaries:write',
  'canaries:promote',
  'canaries:abort',
  'orders:read',
  'orders:write',
  'stock:write',
  'messages:read',
  'messages:redrive',
  'messages:write',
] as const;

export type Scope = (typeof SCOPES)[number];
