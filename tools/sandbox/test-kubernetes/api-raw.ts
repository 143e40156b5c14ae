import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

/** An answer, as it came. */
export interface Answer {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever the API answers
  body: any;
  warnings: string[];
}

export interface CallOptions {
  type?: string;
  accept?: string;
  /** A bearer token in place of the kubeconfig's own rights; '' for none at all. */
  token?: string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type Event = { type: string; object: any };

export interface Watch {
  events: Event[];
  /** Settles when the server ends the stream. */
  ended: Promise<void>;
  close(): void;
}

/** The API as HTTP: these tests are about what goes over the wire, so no client comes between. */
export interface RawApi {
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  merge(path: string, body: unknown): Promise<Answer>;
  apply(path: string, body: unknown): Promise<Answer>;
  watch(path: string): Promise<Watch>;
  close(): void;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

export function rawApi(kubeconfig: string): RawApi {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user ?? {};
  if (!cluster) throw new Error(`${kubeconfig} names no cluster`);
  const decode = (text: string | undefined): Buffer | undefined => (text ? Buffer.from(text, 'base64') : undefined);
  const ca = decode(cluster['certificate-authority-data']);
  const own = new Agent({
    keepAlive: true,
    ca,
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  // Another's token must not come with our client certificate.
  const bare = new Agent({ keepAlive: true, ca });

  const open = (method: string, path: string, body: unknown, options: CallOptions): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const token = options.token ?? user.token;
      const headers: Record<string, string> = { 'user-agent': 'spec/1' };
      if (token) headers['authorization'] = `Bearer ${token}`;
      if (options.accept) headers['accept'] = options.accept;
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      // Said outright: Node sends a DELETE's body without a length of its own accord.
      if (body !== undefined) {
        headers['content-type'] = options.type ?? 'application/json';
        headers['content-length'] = String(Buffer.byteLength(text));
      }
      const agent = options.token === undefined ? own : bare;
      const outgoing = request(new URL(path, cluster.server), { method, headers, agent }, resolve);
      outgoing.on('error', reject);
      outgoing.end(text);
    });

  const api: RawApi = {
    async call(method, path, body, options = {}) {
      const response = await open(method, path, body, options);
      let text = '';
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
      const isJson = text.startsWith('{');
      return {
        status: response.statusCode ?? 0,
        body: isJson ? JSON.parse(text) : text,
        warnings: [response.headers['warning'] ?? []].flat().flatMap((line) => line.split(/, (?=299 )/)),
      };
    },
    get: (path, options) => api.call('GET', path, undefined, options),
    post: (path, body, options) => api.call('POST', path, body, options),
    merge: (path, body) => api.call('PATCH', path, body, { type: 'application/merge-patch+json' }),
    apply: (path, body) => api.call('PATCH', path, body, { type: 'application/apply-patch+yaml' }),
    async watch(path) {
      const response = await open('GET', path, undefined, {});
      if (response.statusCode !== 200) throw new Error(`watch ${path} answered ${response.statusCode}`);
      const events: Event[] = [];
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.filter(Boolean).map((line) => JSON.parse(line) as Event));
      });
      const ended = new Promise<void>((resolve) => {
        response.on('close', () => resolve());
        response.on('error', () => resolve());
      });
      return { events, ended, close: () => response.destroy() };
    },
    close() {
      own.destroy();
      bare.destroy();
    },
  };
  return api;
}
