import type { IncomingMessage } from 'node:http';

/** A body up to this size is taken in whole before it is sent on, as nginx's client_body_buffer_size: it can be sent again. */
const WHOLE_BYTES = 16 * 1024;

/** The body is larger than the annotation proxy-body-size allows: 413. */
export class BodyTooLargeError extends Error {}

export type Body =
  | { kind: 'none' }
  /** All of it, in memory. */
  | { kind: 'whole'; bytes: Buffer }
  /** As it comes; `length` when the client said it. */
  | { kind: 'stream'; length: number | undefined; source: BodyStream };

/** Reads the client's body once, with backpressure, never more than the limit. */
export class BodyStream {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  #begun = false;

  constructor(request: IncomingMessage, limit: number) {
    this.#request = request;
    this.#limit = limit;
  }

  /** Bytes have been taken off the client: they cannot be had again. */
  get begun(): boolean {
    return this.#begun;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    this.#begun = true;
    let taken = 0;
    // The connection must outlive an early end: the answer goes over it.
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      taken += chunk.length;
      if (this.#limit > 0 && taken > this.#limit) throw new BodyTooLargeError();
      yield chunk;
    }
  }
}

/** Throws BodyTooLargeError when the client announces too much, or sends too much of a small body. */
export async function bodyOf(request: IncomingMessage, limit: number): Promise<Body> {
  const announced = request.headers['content-length'];
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const length = announced === undefined ? undefined : Number(announced);
  if (!chunked && (length === undefined || length === 0)) return { kind: 'none' };
  if (limit > 0 && length !== undefined && length > limit) throw new BodyTooLargeError();
  const source = new BodyStream(request, limit);
  if (length === undefined || length > WHOLE_BYTES) return { kind: 'stream', length, source };
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return { kind: 'whole', bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
}
