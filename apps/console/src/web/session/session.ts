import { createContext, useContext } from 'react';
import type { Identity, Scope } from '@keelson/contracts';
import type { ServiceKey } from '../../services.ts';
import type { Clients, MessageClients } from '../api/clients.ts';
import type { Permission } from './standing.ts';

/** Who is signed in, and the clients that act as them. */
export interface Session {
  readonly clients: Clients;
  readonly messages: MessageClients;
  /** Undefined where no service answers. */
  readonly identity: Identity | undefined;
  readonly may: (key: ServiceKey, scope: Scope) => Permission;
  readonly signOut: (why?: string) => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('there is no session around this component');
  return session;
}

/** Whether the signed-in token may do what needs `scope` at that service. */
export const usePermission = (key: ServiceKey, scope: Scope): Permission => useSession().may(key, scope);
