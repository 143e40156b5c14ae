import { z } from 'zod';
import type { CounterSample } from './success-rate.ts';

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** What an instant query gave, and what the server's own clock said then (to the second; absent where it does not say). */
export interface PrometheusAnswer {
  readonly samples: CounterSample[];
  readonly serverTime: Date | undefined;
}

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
  async query(promql: string, at: Date): Promise<PrometheusAnswer> {
    const response = await this.#post(new URLSearchParams({ query: promql, time: String(at.getTime() / 1000) }));
    const body: unknown = await response.json().catch(() => undefined); // a proxy's error page is no JSON: the status tells
    if (!response.ok) {
      const said = z.object({ error: z.string() }).safeParse(body);
      throw new Error(`it answered ${response.status}${said.success ? `: ${said.data.error}` : ''}`);
    }
    const answer = answerSchema.safeParse(body);
    if (!answer.success) throw new Error('its answer is not one of the Prometheus HTTP API to an instant query');
    const date = Date.parse(response.headers.get('date') ?? '');
    return {
      samples: answer.data.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) })),
      serverTime: Number.isNaN(date) ? undefined : new Date(date),
    };
  }

  async #post(body: URLSearchParams): Promise<Response> {
    const url = new URL('api/v1/query', this.#url);
    try {
      return await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(this.#timeoutMs) });
    } catch (error) {
      throw new Error(this.#whyNoAnswer(error), { cause: error });
    }
  }

  /** fetch says "fetch failed" for everything below HTTP; what happened stands in its cause. */
  #whyNoAnswer(error: unknown): string {
    const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    if (name === 'TimeoutError') return `no answer within ${this.#timeoutMs} ms`;
    return cause?.code ?? cause?.message ?? message;
  }
}
