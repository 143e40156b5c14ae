import { useSession } from '../session/session.ts';
import type { Permission } from '../session/standing.ts';
import { type Scope, UNCLAIMED } from '@keelson/contracts';
import { type MessageKey, SERVICES, MESSAGE_KEYS } from '../../services.ts';

/** The service whose queue it is, by the first part of its name; what all share, any. Undefined where it is nobody's. */
export const keyOf = (queue: string): MessageKey | undefined =>
  queue === UNCLAIMED ? MESSAGE_KEYS[0] : MESSAGE_KEYS.find((key) => queue.startsWith(`${SERVICES[key].service}.`));

/** Whether the token may do what needs `scope` with messages: queues hold those of every team. */
export function useMessagesPermission(key: MessageKey, scope: Scope): Permission {
  const { may, identity } = useSession();
  if (identity !== undefined && identity.team !== '*') {
    return {
      allowed: false,
      reason: `Your token “${identity.name}” is of team ${identity.team}; queues hold messages of every team.`,
    };
  }
  return may(key, scope);
}
