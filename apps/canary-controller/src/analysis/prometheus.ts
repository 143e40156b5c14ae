import { z } from 'zod';
import type { CounterSample } from './success-rate.ts';

const metric = z.record(z.string(), z.string());
const sample = z.tuple([z.number(), z.string()]);
const vectorSchema = z.object({
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric, value: sample })) }),
});
const matrixSchema = z.object({
  data: z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric, values: z.array(sample) })) }),
});

/** What an instant query gave, and what the server's own clock said then (to the second; absent where it does not say). */
export interface PrometheusAnswer {
  readonly samples: CounterSample[];
  readonly serverTime: Date | undefined;
}

/** A series over time: at which moments it was there. */
export interface PrometheusSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: readonly Date[];
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
    const { body, headers } = await this.#ask('query', { query: promql, time: seconds(at) });
    const date = Date.parse(headers.get('date') ?? '');
    return {
      samples: read(vectorSchema, body).data.result.map(({ metric: labels, value }) => ({
        labels,
        value: Number(value[1]),
      })),
      serverTime: Number.isNaN(date) ? undefined : new Date(date),
    };
  }

  /** When each series of a query was there, from `from` to `to` in steps of so many seconds. */
  async range(promql: string, from: Date, to: Date, stepSeconds: number): Promise<PrometheusSeries[]> {
    const query = { query: promql, start: seconds(from), end: seconds(to), step: String(stepSeconds) };
    const { body } = await this.#ask('query_range', query);
    return read(matrixSchema, body).data.result.map(({ metric: labels, values }) => ({
      labels,
      times: values.map(([time]) => new Date(time * 1000)),
    }));
  }

  async #ask(what: string, query: Record<string, string>): Promise<{ body: unknown; headers: Headers }> {
    const response = await this.#post(what, new URLSearchParams(query));
    const body: unknown = await response.json().catch(() => undefined); // a proxy's error page is no JSON: the status tells
    if (response.ok) return { body, headers: response.headers };
    const said = z.object({ error: z.string() }).safeParse(body);
    throw new Error(`it answered ${response.status}${said.success ? `: ${said.data.error}` : ''}`);
  }

  async #post(what: string, body: URLSearchParams): Promise<Response> {
    const url = new URL(`api/v1/${what}`, this.#url);
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

const seconds = (time: Date): string => String(time.getTime() / 1000);

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const answer = schema.safeParse(body);
  if (answer.success) return answer.data;
  throw new Error('its answer is not one of the Prometheus HTTP API to this query');
}
