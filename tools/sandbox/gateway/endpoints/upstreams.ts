import { Pool } from 'undici';
import type { Endpoint } from './endpoints.ts';

/** An idle connection to a pod is kept this long, or shorter when the pod's Keep-Alive header says so. */
const KEEP_ALIVE_MS = 15_000;

export type Target = Endpoint & { tls: boolean; connectTimeoutMs: number };
type Upstream = { endpoints: Endpoint[]; next: number };

/**
 * The endpoints of every backend with their pools of connections. A change counts from the next request on; a pool
 * that no backend uses any more finishes what it has under way and closes.
 */
export class Upstreams {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #pools = new Map<string, { pool: Pool; endpoint: string }>();
  readonly #address: (address: string) => string;

  /** `address` maps an address of the API to one that can be connected to. */
  constructor(address: (address: string) => string) {
    this.#address = address;
  }

  /** Replaces the endpoints of all backends that are not in `backends`, which are the ones still routed to. */
  retain(backends: ReadonlySet<string>): void {
    for (const name of this.#upstreams.keys()) if (!backends.has(name)) this.#upstreams.delete(name);
    this.#closeUnused();
  }

  set(backend: string, endpoints: Endpoint[]): void {
    const upstream = this.#upstreams.get(backend);
    if (upstream === undefined) {
      this.#upstreams.set(backend, { endpoints, next: 0 });
      return;
    }
    const before = upstream.endpoints;
    upstream.endpoints = endpoints;
    if (before.some((old) => !endpoints.some((e) => e.address === old.address && e.port === old.port)))
      this.#closeUnused();
  }

  has(backend: string): boolean {
    return (this.#upstreams.get(backend)?.endpoints.length ?? 0) > 0;
  }

  list(backend: string): readonly Endpoint[] {
    return this.#upstreams.get(backend)?.endpoints ?? [];
  }

  /** The next endpoint in turn that has not been tried; undefined when all have. */
  pick(backend: string, tried: ReadonlySet<string>): Endpoint | undefined {
    const upstream = this.#upstreams.get(backend);
    if (upstream === undefined) return undefined;
    const { endpoints } = upstream;
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[(upstream.next + i) % endpoints.length];
      if (endpoint === undefined || tried.has(endpointKey(endpoint))) continue;
      upstream.next = (upstream.next + i + 1) % endpoints.length;
      return endpoint;
    }
    return undefined;
  }

  pool(target: Target): Pool {
    const endpoint = endpointKey(target);
    const key = `${endpoint} ${target.tls} ${target.connectTimeoutMs}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known.pool;
    const pool = new Pool(`${target.tls ? 'https' : 'http'}://${this.#address(target.address)}:${target.port}`, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The pod's certificate is not verified, as ingress-nginx's proxy-ssl-verify is off by default.
      connect: { timeout: target.connectTimeoutMs, rejectUnauthorized: false },
    });
    this.#pools.set(key, { pool, endpoint });
    return pool;
  }

  addressOf(endpoint: Endpoint): string {
    return this.#address(endpoint.address);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.destroy()));
    this.#pools.clear();
  }

  #closeUnused(): void {
    const used = new Set([...this.#upstreams.values()].flatMap(({ endpoints }) => endpoints.map(endpointKey)));
    for (const [key, { pool, endpoint }] of this.#pools) {
      if (used.has(endpoint)) continue;
      this.#pools.delete(key);
      // Resolves when the last request is through; a request that fails meanwhile has its own error handling.
      void pool.close();
    }
  }
}

export const endpointKey = (endpoint: Endpoint): string => `${endpoint.address}:${endpoint.port}`;
