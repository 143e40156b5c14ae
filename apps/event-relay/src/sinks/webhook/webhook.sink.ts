import type { JournalEntry } from '../../journal/entry.ts';
import { outcomeOfStatus, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { cloudEvent } from './cloud-event.ts';

export interface WebhookOptions {
  /** From the configuration alone: no request goes to an address that came with an event. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** POSTs each event as a structured CloudEvent 1.0 (`application/cloudevents+json`). Redirects are not followed. */
export class WebhookSink implements Sink {
  readonly kind = 'webhook';
  readonly batchSize = 1;
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  async deliver([entry]: readonly JournalEntry[], signal: AbortSignal): Promise<readonly Outcome[]> {
    if (!entry) return [];
    try {
      const response = await fetch(this.#options.url, {
        method: 'POST',
        headers: { ...this.#options.headers, 'content-type': 'application/cloudevents+json; charset=utf-8' },
        body: JSON.stringify(cloudEvent(entry)),
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]),
        redirect: 'error',
      });
      const said = response.ok ? '' : (await response.text()).slice(0, 500);
      if (response.ok) await response.body?.cancel();
      return [outcomeOfStatus(response.status, response.headers.get('retry-after'), said)];
    } catch (error) {
      return [retryAfter(error)];
    }
  }

  async close(): Promise<void> {}
}
