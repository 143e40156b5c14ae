import type { Principal } from '@keelson/service-kit';
import type { TeamScope } from './certificate-store.ts';

/** Whose rows a principal may see: all for team `*`, else those of its own team. */
export const scopeOf = ({ team }: Principal): TeamScope => (team === '*' ? undefined : team);
