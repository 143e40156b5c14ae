import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { KubernetesUnreachableError } from './errors.ts';
import type { ClusterAccess } from './kubeconfig.ts';

export type TransportRequest = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Until the response's headers are there. */
  headersTimeoutMs: number;
  /** A connection of its own, closed with the response: for watches, which live long. */
  own?: boolean;
};

/** Requests of a moment share at most this many connections; the rest wait their turn. */
const maxSockets = 32;
/** The kernel asks a silent peer after this long, then every second, ten times (libuv): a vanished host is found in 25 s. */
const keepAliveProbeMs = 15_000;

/**
 * HTTP/1.1 to one API server through node:https. client-node's own transport comes with the whole generated client:
 * 82 MiB and 0.8 s at start, where a service may have 150 MiB in all.
 */
export class Transport {
  readonly #access: ClusterAccess;
  readonly #secure: boolean;
  readonly #base: URL;
  #pool: HttpAgent | undefined;
  #certificate: { cert: string; key: string } | undefined;

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.#base = new URL(access.server);
    this.#secure = this.#base.protocol === 'https:';
  }

  /** Resolves with the response's head, its body still to be read. Throws KubernetesUnreachableError, or the signal's reason. */
  async open(request: TransportRequest): Promise<IncomingMessage> {
    request.signal?.throwIfAborted();
    await this.#useCertificate();
    const agent = request.own === true ? this.#newAgent(false) : (this.#pool ??= this.#newAgent(true));
    return new Promise((resolve, reject) => {
      const send = this.#secure ? httpsRequest : httpRequest;
      const path = `${this.#base.pathname.replace(/\/$/, '')}${request.path}`;
      const sent: ClientRequest = send({
        host: this.#base.hostname.replace(/^\[|\]$/g, ''),
        port: this.#base.port || (this.#secure ? 443 : 80),
        method: request.method,
        path,
        headers: request.headers,
        agent,
      });
      const name = `${request.method} ${path.split('?')[0]}`;
      const timer = setTimeout(() => {
        sent.destroy(
          new KubernetesUnreachableError(
            `${name}: no answer from ${this.#access.server} within ${request.headersTimeoutMs} ms`,
            'TIMEOUT',
          ),
        );
      }, request.headersTimeoutMs);
      const abort = (): void => void sent.destroy(asError(request.signal?.reason));
      request.signal?.addEventListener('abort', abort, { once: true });
      sent.on('close', () => {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', abort);
      });
      sent.on('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (request.signal?.aborted === true) return reject(asError(request.signal.reason));
        if (error instanceof KubernetesUnreachableError) return reject(error);
        const unreachable = new KubernetesUnreachableError(
          `${name}: ${this.#access.server} is not reachable: ${messageOf(error)}`,
          error.code ?? 'BROKEN',
          error,
        );
        return reject(Object.assign(unreachable, { reusedSocket: sent.reusedSocket }));
      });
      sent.end(request.body);
    });
  }

  /** Closes idle connections. Running requests are the callers' to abort. */
  close(): void {
    this.#pool?.destroy();
    this.#pool = undefined;
  }

  /** New connections from now on, with certificates read anew; requests under way keep theirs. */
  renew(): void {
    this.#pool = undefined;
  }

  async #useCertificate(): Promise<void> {
    const certificate = await this.#access.credentials.certificate?.();
    if (certificate?.cert === this.#certificate?.cert) return;
    this.#certificate = certificate;
    this.renew();
  }

  #newAgent(pooled: boolean): HttpAgent {
    const shared = {
      keepAlive: pooled,
      keepAliveMsecs: keepAliveProbeMs,
      maxSockets: pooled ? maxSockets : 1,
      ...(this.#access.proxyUrl !== undefined && {
        proxyEnv: { HTTP_PROXY: this.#access.proxyUrl, HTTPS_PROXY: this.#access.proxyUrl },
      }),
    };
    if (!this.#secure) return new HttpAgent(shared);
    return new HttpsAgent({ ...shared, ...this.#access.tls(), ...this.#certificate });
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}

/** Several addresses tried in vain give an AggregateError with an empty message. */
function messageOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return (error.errors[0] as Error).message;
  return error.message;
}
