import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { endpointKey, type Upstreams } from '../endpoints/upstreams.ts';
import type { Settings } from '../routing/annotations.ts';
import { BodyTooLargeError, type Body } from './body.ts';
import { responseHeaders } from './headers.ts';
import { sendError } from './pages.ts';
import { causeOf, mayRetry, statusOf, type Failure } from './retry.ts';

export type ExchangeOptions = {
  request: IncomingMessage;
  response: ServerResponse;
  upstreams: Upstreams;
  backend: string;
  settings: Settings;
  target: string;
  headers: string[];
  body: Body;
};

/** The client went away before the answer was complete; nginx's log says 499. */
const CLIENT_CLOSED = 499;

/**
 * One request to a backend: sent to an endpoint, to another one if it fails before anything reached the client, and
 * streamed back. `done` settles with the status that counts in the metrics; it never rejects.
 */
export class Exchange {
  readonly done: Promise<number>;
  readonly #options: ExchangeOptions;
  readonly #tried = new Set<string>();
  #settle: (status: number) => void = () => undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #clientGone = false;
  #tries = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    options.response.on('close', () => {
      if (options.response.writableFinished) return;
      this.#clientGone = true;
      this.#controller?.abort(new Error('the client closed the connection'));
      this.#settle(CLIENT_CLOSED);
    });
  }

  start(): this {
    this.#attempt(undefined);
    return this;
  }

  #attempt(failure: Failure | undefined): void {
    const { upstreams, backend, settings } = this.#options;
    const endpoint = upstreams.pick(backend, this.#tried);
    if (endpoint === undefined) {
      this.#fail(failure === undefined ? 503 : statusOf(failure.cause));
      return;
    }
    this.#tries += 1;
    this.#tried.add(endpointKey(endpoint));
    const { target, headers, body, request } = this.#options;
    const pool = upstreams.pool({ ...endpoint, tls: settings.backendTls, connectTimeoutMs: settings.connectTimeoutMs });
    const length = body.kind === 'stream' && body.length !== undefined ? ['content-length', String(body.length)] : [];
    try {
      pool.dispatch(
        {
          method: request.method as Dispatcher.HttpMethod,
          path: target,
          headers: [...headers, ...length],
          body: body.kind === 'none' ? null : body.kind === 'whole' ? body.bytes : (body.source as unknown as null),
          headersTimeout: settings.readTimeoutMs,
          bodyTimeout: settings.readTimeoutMs,
          // undici would close the connection after a HEAD, for servers that answer it with a body.
          reset: false,
        },
        this.#handler(),
      );
    } catch {
      // undici refuses what is no valid request target or header.
      this.#fail(400);
    }
  }

  #handler(): Dispatcher.DispatchHandler {
    const { response, settings } = this.#options;
    let sent = false;
    let over = false;
    let resume: (() => void) | undefined;
    return {
      onRequestStart: (controller) => {
        sent = true;
        this.#controller = controller;
        if (this.#clientGone) controller.abort(new Error('the client closed the connection'));
      },
      onResponseStart: (controller, status, _headers, statusMessage) => {
        if (status < 200) return;
        const retryable: Failure = { sent: true, cause: `http_${status}` };
        if (settings.nextUpstream.has(retryable.cause) && this.#canTryAgain(retryable)) {
          over = true;
          controller.abort(new Error('passed to another endpoint'));
          this.#attempt(retryable);
          return;
        }
        response.writeHead(status, statusMessage, responseHeaders(controller.rawHeaders as Buffer[]));
        // The client shall see the head at once, also when the body takes its time.
        response.flushHeaders();
        response.on('drain', (resume = () => controller.resume()));
      },
      onResponseData: (controller, chunk) => {
        if (over) return;
        if (!response.write(chunk)) controller.pause();
      },
      onResponseEnd: () => {
        if (over) return;
        over = true;
        if (resume !== undefined) response.off('drain', resume);
        response.end();
        this.#settle(response.statusCode);
      },
      onResponseError: (_controller, error) => {
        if (over) return;
        over = true;
        this.#failed(error, sent);
      },
    };
  }

  #failed(error: Error, sent: boolean): void {
    const { response } = this.#options;
    if (this.#clientGone) return;
    if (response.headersSent) {
      // Part of the answer is out: only a broken connection tells the client that it is not whole.
      response.destroy();
      this.#settle(response.statusCode);
      return;
    }
    if (error instanceof BodyTooLargeError) {
      this.#fail(413);
      return;
    }
    const failure: Failure = { sent, cause: causeOf(error) };
    if (this.#canTryAgain(failure)) this.#attempt(failure);
    else this.#fail(statusOf(failure.cause));
  }

  #canTryAgain(failure: Failure): boolean {
    const { request, body, settings, upstreams, backend } = this.#options;
    const replayable = body.kind !== 'stream' || !body.source.begun;
    if (!mayRetry(failure, { method: request.method ?? '', replayable }, settings)) return false;
    // 0 tries: no limit but the number of endpoints.
    if (settings.tries > 0 && this.#tries >= settings.tries) return false;
    return upstreams.list(backend).some((endpoint) => !this.#tried.has(endpointKey(endpoint)));
  }

  #fail(status: number): void {
    const { response, body } = this.#options;
    if (!this.#clientGone && !response.headersSent) sendError(response, status, body.kind === 'stream');
    this.#settle(status);
  }
}
