import { z } from 'zod';
import type { CounterSample } from './success-rate.ts';

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** Reads a Prometheus server over its HTTP API v1. */
export class Prometheus {
  readonly #url: URL;
  readonly #timeoutMs: number;

  /** @param url base URL, for example `http://prometheus:9090` */
  constructor(url: string, { timeoutMs = 5_000 }: { timeoutMs?: number } = {}) {
    this.#url = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * An instant query that must give a vector. Throws with the server's own words where it refuses, and within
   * `timeoutMs` where it does not answer.
   */
  async query(promql: string, at: Date): Promise<CounterSample[]> {
    const url = new URL('api/v1/query', this.#url);
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ query: promql, time: String(at.getTime() / 1000) }),
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    const body: unknown = await response.json().catch(() => undefined); // a proxy's error page is no JSON: the status tells
    if (!response.ok) {
      const said = z.object({ error: z.string() }).safeParse(body);
      throw new Error(`Prometheus answered ${response.status}${said.success ? `: ${said.data.error}` : ''}`);
    }
    const answer = answerSchema.parse(body);
    return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }
}
