import type { Endpoint } from '@keelson/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { logger } from '../observe/logger.ts';
import type { ServerSentEvent } from '../operation/input.ts';

const log = logger('live');

/** Comments keep proxies from taking a quiet stream for a dead one. */
const HEARTBEAT_MS = 15_000;

const streams = new Set<AbortController>();

/** Ends all streams of the process; clients connect again, elsewhere. */
export function endStreams(): void {
  for (const stream of streams) stream.abort();
}

export const isEventStream = (endpoint: Endpoint, result: unknown): boolean =>
  endpoint.responseType === 'text/event-stream' &&
  typeof result === 'object' &&
  result !== null &&
  Symbol.asyncIterator in result;

/**
 * Answers with a live stream (WHATWG server-sent events) until the source ends, the client goes away or the service
 * shuts down; the source's `return` is called in each case. Waits for a slow client instead of buffering for it.
 */
export async function sendEvents(
  reply: FastifyReply,
  request: FastifyRequest,
  events: AsyncIterable<ServerSentEvent>,
): Promise<void> {
  const { raw } = reply;
  // Taken out of fastify's hands, so that the time limit for requests does not end it.
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  raw.write(': connected\n\n');

  const stop = new AbortController();
  streams.add(stop);
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), HEARTBEAT_MS);
  raw.once('close', () => stop.abort());
  const source = events[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => stop.signal.addEventListener('abort', () => resolve(undefined)));
  try {
    for (;;) {
      const next = await Promise.race([source.next(), stopped]);
      if (next === undefined || next.done === true) break;
      await write(raw, next.value, stopped);
    }
  } catch (error) {
    log.error({ err: error, path: request.routeOptions.url }, 'a live stream broke off');
  } finally {
    clearInterval(heartbeat);
    streams.delete(stop);
    raw.end();
    // Not waited for: a source that sleeps in its next() answers return() only when it wakes.
    void Promise.resolve(source.return?.()).catch((error: unknown) =>
      log.warn({ err: error }, 'a live source failed to end'),
    );
  }
}

async function write(raw: ServerResponse, event: ServerSentEvent, stopped: Promise<undefined>): Promise<void> {
  const lines = [
    ...(event.id === undefined ? [] : [`id: ${oneLine(event.id)}`]),
    ...(event.event === undefined ? [] : [`event: ${oneLine(event.event)}`]),
    `data: ${JSON.stringify(event.data)}`,
  ];
  if (!raw.write(`${lines.join('\n')}\n\n`)) await Promise.race([once(raw, 'drain'), stopped]);
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]/g, ' ');
