import type { KubernetesClient } from './client.ts';
import type { SelectOptions } from './options.ts';
import { KubernetesError, KubernetesUnreachableError } from './errors.ts';
import { jsonLines } from './json-lines.ts';
import type { Resource } from './resources.ts';
import type { KubernetesObject, WatchEvent } from './wire.ts';

export type WatchStreamOptions = SelectOptions & {
  resourceVersion: string;
  /** Silence after which the connection is taken for dead. */
  inactivityMs: number;
  signal: AbortSignal;
  random?: () => number;
};

/**
 * The server is asked to end the watch after this long: always before inactivityMs, so that a healthy server is never
 * silent for longer (Events get no bookmarks, and a quiet namespace nothing else). Spread, so that the watches of a
 * process do not all come back at once.
 */
export function watchTimeoutSeconds(inactivityMs: number, random: () => number = Math.random): number {
  return Math.max(1, Math.floor((inactivityMs / 1000) * (0.6 + 0.3 * random())));
}

/**
 * One watch request: its lines until the server ends it. Throws KubernetesError for a refusal, be it an HTTP status
 * or an ERROR inside a 200 (410 mostly), and KubernetesUnreachableError for a broken or silent connection. The
 * consumer may take its time with a line: only waiting for the server counts as silence.
 */
export async function* watchStream<T extends KubernetesObject>(
  client: KubernetesClient,
  resource: Resource<T>,
  options: WatchStreamOptions,
): AsyncGenerator<Exclude<WatchEvent<T>, { type: 'ERROR' }>> {
  const { inactivityMs, signal, random, ...select } = options;
  const response = await client.openWatch(resource, {
    ...select,
    timeoutSeconds: watchTimeoutSeconds(inactivityMs, random),
    headersTimeoutMs: inactivityMs,
    signal,
  });
  try {
    for await (const value of jsonLines(withinSilence(response, inactivityMs))) {
      const event = value as WatchEvent<T>;
      if (event.type === 'ERROR') {
        throw new KubernetesError(event.object.code ?? 0, event.object, { request: `watch of ${resource.plural}` });
      }
      yield event;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KubernetesError || error instanceof KubernetesUnreachableError) throw error;
    const message = `watch of ${resource.plural}: the connection broke: ${(error as Error).message}`;
    throw new KubernetesUnreachableError(message, (error as NodeJS.ErrnoException).code ?? 'BROKEN', error);
  } finally {
    response.destroy();
  }
}

/** Chunks of the source; throws when the next one takes longer than `ms`. */
async function* withinSilence(
  source: AsyncIterable<Buffer> & { destroy(error: Error): void },
  ms: number,
): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  for (;;) {
    const timer = setTimeout(() => {
      source.destroy(
        new KubernetesUnreachableError(`nothing heard for ${ms} ms: the connection is taken for dead`, 'TIMEOUT'),
      );
    }, ms);
    try {
      const next = await chunks.next();
      if (next.done === true) return;
      yield* passedOn(next.value, timer);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The clock stops while the consumer works. */
function* passedOn(chunk: Buffer, timer: NodeJS.Timeout): Generator<Buffer> {
  clearTimeout(timer);
  yield chunk;
}
