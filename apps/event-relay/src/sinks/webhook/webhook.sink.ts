import type { Dispatcher } from 'undici';
import type { JournalEntry } from '../../journal/entry.ts';
import { outcomeOfStatus, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { cloudEvent } from './cloud-event.ts';

export interface WebhookOptions {
  /** From the configuration alone: no request goes to an address that came with an event. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How much of a refusal is read and told, characters. */
const TOLD = 500;

/**
 * POSTs each event as a structured CloudEvent 1.0 (`application/cloudevents+json`), one at a time. Redirects are not
 * followed. (undici's request rather than fetch: a third of its processor time for each event.)
 */
export class WebhookSink implements Sink {
  readonly kind = 'webhook';
  readonly batchSize = 1;
  readonly #options: WebhookOptions;
  #client: ReturnType<typeof connect> | undefined;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  async deliver([entry]: readonly JournalEntry[], signal: AbortSignal): Promise<readonly Outcome[]> {
    if (!entry) return [];
    const { url, headers, timeoutMs } = this.#options;
    const limit = new Deadline(timeoutMs, signal);
    try {
      const { request, agent } = await (this.#client ??= connect());
      const response = await request(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/cloudevents+json; charset=utf-8' },
        body: JSON.stringify(cloudEvent(entry)),
        signal: limit.signal,
        dispatcher: agent,
      });
      return [await outcomeOf(response)];
    } catch (error) {
      return [retryAfter(limit.expired ? new Error(`no answer within ${timeoutMs} ms`) : error)];
    } finally {
      limit.end();
    }
  }

  async close(): Promise<void> {
    const client = await this.#client;
    await client?.agent.close();
  }
}

/** Loaded with the first event: a relay without webhooks does not keep the library in memory. */
async function connect() {
  const { Agent, request } = await import('undici');
  return { request, agent: new Agent() };
}

async function outcomeOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Outcome> {
  if (statusCode >= 200 && statusCode < 300) {
    await body.dump();
    return outcomeOfStatus(statusCode, null, '');
  }
  const said = await beginningOf(body);
  // A fault of the configuration, and no event's: it comes right when that does.
  if (statusCode >= 300 && statusCode < 400) {
    return {
      kind: 'retry',
      afterMs: 30_000,
      reason: `HTTP ${statusCode}: redirects are not followed; set the final URL`,
    };
  }
  const retry = headers['retry-after'];
  return outcomeOfStatus(statusCode, typeof retry === 'string' ? retry : null, said);
}

async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = '';
  body.setEncoding('utf8');
  for await (const chunk of body as AsyncIterable<string>) {
    text += chunk;
    if (text.length >= TOLD) break; // ends the stream, and the connection with it
  }
  return text.slice(0, TOLD);
}

/** A time limit and somebody else's signal as one, without AbortSignal.any, which costs more than the request's set-up. */
class Deadline {
  readonly #abort = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #passOn = (): void => this.#abort.abort(this.#outer.reason);
  expired = false;

  constructor(ms: number, outer: AbortSignal) {
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#abort.abort();
    }, ms);
    if (outer.aborted) this.#passOn();
    else outer.addEventListener('abort', this.#passOn, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#passOn);
  }
}
