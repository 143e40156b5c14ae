import { type Api, type Client, createClient, identityApi, messagesApi } from '@keelson/contracts';
import { MESSAGE_KEYS, type MessageKey, SERVICE_KEYS, type ServiceKey, SERVICES } from '../../services.ts';

export type Clients = { readonly [Key in ServiceKey]: Client<(typeof SERVICES)[Key]['api']> };
export type MessageClients = { readonly [Key in MessageKey]: Client<typeof messagesApi> };
export type IdentityClients = { readonly [Key in ServiceKey]: Client<typeof identityApi> };

/** Longer than the console's server waits for a service, so that its answer tells what happened. */
const TIMEOUT_MS = 40_000;
/** One service that hangs must not keep anybody from signing in at the others. */
const IDENTITY_TIMEOUT_MS = 5_000;

const baseUrl = (key: ServiceKey): string => `${window.location.origin}/api/${key}`;

/** Typed clients of the four services, by way of the console's server. Reads are not repeated: the next poll does that. */
export function makeClients(token: string): Clients {
  return each((key) => client(SERVICES[key].api, key, token, TIMEOUT_MS)) as unknown as Clients;
}

/** Clients of the queues and parking lots of the services that have some. */
export function messageClients(token: string): MessageClients {
  return Object.fromEntries(
    MESSAGE_KEYS.map((key) => [key, client(messagesApi, key, token, TIMEOUT_MS)]),
  ) as MessageClients;
}

/** Clients that ask each service whose the token is. */
export function identityClients(token: string): IdentityClients {
  return each((key) => client(identityApi, key, token, IDENTITY_TIMEOUT_MS)) as IdentityClients;
}

const client = <A extends Api>(api: A, key: ServiceKey, token: string, timeoutMs: number): Client<A> =>
  createClient(api, { baseUrl: baseUrl(key), token, timeoutMs, retry: { attempts: 1 } });

const each = <T>(make: (key: ServiceKey) => T): Record<ServiceKey, T> =>
  Object.fromEntries(SERVICE_KEYS.map((key) => [key, make(key)])) as Record<ServiceKey, T>;
