import {
  certificatesApi,
  canariesApi,
  createClient,
  eventsApi,
  messagesApi,
  ordersApi,
  type Api,
  type Client,
} from '@keelson/contracts';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, fetch as undiciFetch } from 'undici';
import { EXIT, Failure } from './failure.ts';

/** Where each service is, by the variable that names it. */
export const SERVICES = {
  'cert-service': { api: certificatesApi, variable: 'KEELSON_CERT_URL' },
  'event-relay': { api: eventsApi, variable: 'KEELSON_EVENTS_URL' },
  'canary-controller': { api: canariesApi, variable: 'KEELSON_CANARY_URL' },
  'order-demo': { api: ordersApi, variable: 'KEELSON_ORDERS_URL' },
} as const;

export type ServiceName = keyof typeof SERVICES;

/** Services that consume messages, and serve messagesApi for their queues. */
export const MESSAGE_SERVICES = ['order-demo', 'event-relay'] as const satisfies readonly ServiceName[];
export type MessageService = (typeof MESSAGE_SERVICES)[number];
type ApiOf<Name extends ServiceName> = (typeof SERVICES)[Name]['api'];

/** What the environment, or the file that --env-file names, tells the CLI. */
export class Settings {
  readonly #values: Readonly<Record<string, string | undefined>>;
  #agent: Agent | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>, envFile: string | undefined) {
    this.#values = envFile === undefined ? environment : { ...environment, ...readEnvFile(envFile) };
  }

  /** URL of a service; throws with the variable to set where it is unknown. */
  url(name: ServiceName): string {
    return this.#required(SERVICES[name].variable, `the URL of ${name}`);
  }

  get token(): string {
    const file = this.#values['KEELSON_TOKEN_FILE'];
    if (this.#values['KEELSON_TOKEN'] === undefined && file !== undefined) return readFileSync(file, 'utf8').trim();
    return this.#required('KEELSON_TOKEN', 'the token to act with');
  }

  has(name: ServiceName): boolean {
    return (this.#values[SERVICES[name].variable] ?? '') !== '';
  }

  client<Name extends ServiceName>(name: Name): Client<ApiOf<Name>> {
    const api: Api = SERVICES[name].api;
    return createClient(api, { baseUrl: this.url(name), token: this.token, fetch: this.fetch }) as unknown as Client<
      ApiOf<Name>
    >;
  }

  /** The queues and parking lots of a service. */
  messages(name: MessageService): Client<typeof messagesApi> {
    return createClient(messagesApi, { baseUrl: this.url(name), token: this.token, fetch: this.fetch });
  }

  /** A variable of the environment or of --env-file; undefined where it is not set. */
  value(variable: string): string | undefined {
    const value = this.#values[variable];
    return value === '' ? undefined : value;
  }

  /** fetch that trusts KEELSON_CA_FILE, where it is set. */
  get fetch(): typeof fetch {
    const dispatcher = this.agent;
    return ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch;
  }

  get agent(): Agent {
    this.#agent ??= new Agent({ connections: 128, ...this.trust });
    return this.#agent;
  }

  /** What an Agent needs so that it trusts KEELSON_CA_FILE. */
  get trust(): { connect?: { ca: string } } {
    const caFile = this.#values['KEELSON_CA_FILE'];
    return caFile ? { connect: { ca: readFileSync(caFile, 'utf8') } } : {};
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  #required(variable: string, what: string): string {
    const value = this.#values[variable];
    if (value !== undefined && value !== '') return value;
    throw new Failure(
      `${variable} is not set: ${what}. Set it, or give --env-file PATH (npm start -- --env-file=PATH writes one)`,
      EXIT.usage,
    );
  }
}

/** `NAME='value'` lines, as `npm start -- --env-file` writes them. */
export function readEnvFile(path: string): Record<string, string> {
  if (!existsSync(path)) throw new Failure(`--env-file: there is no ${path}`, EXIT.usage);
  const values: Record<string, string> = {};
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^(?:export\s+)?([A-Z_][A-Z0-9_]*)=(?:'([^']*)'|"([^"]*)"|(\S*))\s*$/.exec(line);
    if (!match) throw new Failure(`${path}:${index + 1}: expected NAME='value'`, EXIT.usage);
    values[match[1]!] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return values;
}
