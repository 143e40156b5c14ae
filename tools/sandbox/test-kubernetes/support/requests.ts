import http, { type OutgoingHttpHeaders } from 'node:http';
import { eventually } from '@keelson/testing';

export type Answer = { status: number; text: string; headers: http.IncomingHttpHeaders };

/** One request to the gateway for a host; the agent keeps connections, as a load does. */
export function ask(
  gateway: { httpPort: number },
  host: string,
  options: {
    path?: string;
    method?: string;
    headers?: OutgoingHttpHeaders;
    body?: string | Buffer;
    agent?: http.Agent;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: gateway.httpPort,
        path: options.path ?? '/',
        method: options.method ?? 'GET',
        headers: { ...options.headers, host },
        agent: options.agent ?? false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Waits until a host is routed: anything but the default backend and 503. */
export const untilRouted = (gateway: { httpPort: number }, host: string, path = '/'): Promise<Answer> =>
  eventually(
    async () => {
      const answer = await ask(gateway, host, { path });
      if (answer.status === 503 || answer.text === 'default backend - 404')
        throw new Error(`${answer.status} ${answer.text}`);
      return answer;
    },
    { describe: `${host} is routed` },
  );

/** Requests one after the other on several connections until it is stopped; remembers every failure. */
export class Load {
  readonly failures: string[] = [];
  readonly answers = new Map<string, number>();
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #workers: Promise<void>[];
  #stopped = false;
  total = 0;

  constructor(gateway: { httpPort: number }, host: string, options: { workers: number; methods: string[] }) {
    this.#workers = Array.from({ length: options.workers }, async (_, worker) => {
      for (let i = worker; !this.#stopped; i++) {
        const method = options.methods[i % options.methods.length] ?? 'GET';
        const body = method === 'GET' ? undefined : 'x'.repeat(200);
        this.total += 1;
        try {
          const answer = await ask(gateway, host, { method, agent: this.#agent, ...(body !== undefined && { body }) });
          if (answer.status !== 200) this.failures.push(`${method} ${answer.status}`);
          else this.answers.set(answer.text, (this.answers.get(answer.text) ?? 0) + 1);
        } catch (error) {
          this.failures.push(`${method} ${(error as Error).message}`);
        }
      }
    });
  }

  /** Until this many more requests have been answered. */
  async more(requests: number): Promise<void> {
    const goal = this.total + requests;
    await eventually(() => this.total >= goal, { describe: `${requests} more requests` });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }
}
