import { build, type Histogram } from 'hdr-histogram-js';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Send } from './sends.ts';

/** How one request ended: with an HTTP status, or without an answer. */
export interface Answer {
  readonly status: number | 'no answer';
  /** The answer to the first request with this key, told again. */
  readonly replayed?: boolean;
  /** 409 because the first request with this key is not answered yet: what a duplicate may get. */
  readonly inProgress?: boolean;
  /** Times it was sent again before this answer. */
  readonly retries?: number;
}

export interface LoadOptions {
  readonly sends: Iterable<Send>;
  /** Most requests under way; an arrival beyond them is counted as dropped, not delayed in silence. */
  readonly maxInFlight: number;
  /** Ends the load early; requests under way are still waited for. */
  readonly signal: AbortSignal;
  /** One request; says how it ended. */
  readonly send: (send: Send) => Promise<Answer>;
  /** Called every second at most. */
  readonly onProgress?: (state: LoadState) => void;
}

export interface LoadState {
  readonly elapsedSeconds: number;
  readonly sent: number;
  /** Answered 202 (201 where it is done at once), as a new order or as a repeated one. */
  readonly accepted: number;
  /** Of `accepted`: the first answer again. */
  readonly replayed: number;
  /** 409 because the same order is being accepted at this moment. */
  readonly inProgress: number;
  /** 429. */
  readonly refused: number;
  /** Everything else, and no answer at all. */
  readonly failed: number;
  readonly dropped: number;
  readonly retries: number;
  readonly inFlight: number;
  /** Accepted a second. */
  readonly acceptedPerSecond: number;
  /** How many requests ended with which status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Latency of accepted requests in ms, counted from when each was due. */
  readonly latencyMs: Latency;
}

export interface Latency {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/**
 * Sends when each request is due, whatever the answers (an open model). Latency counts from the moment a request was
 * due, not from when it could be sent, so that a stalled server does not hide its stall (coordinated omission, Gil
 * Tene).
 */
export async function runLoad(options: LoadOptions): Promise<LoadState> {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const counts = { sent: 0, accepted: 0, replayed: 0, inProgress: 0, refused: 0, failed: 0, dropped: 0, retries: 0 };
  const statuses: Record<string, number> = {};
  const inFlight = new Set<Promise<void>>();
  const started = performance.now();
  const state = (): LoadState => {
    const elapsedSeconds = (performance.now() - started) / 1000;
    return {
      elapsedSeconds,
      ...counts,
      inFlight: inFlight.size,
      acceptedPerSecond: elapsedSeconds > 0 ? Math.round((counts.accepted / elapsedSeconds) * 10) / 10 : 0,
      statuses: { ...statuses },
      latencyMs: latencyOf(histogram),
    };
  };
  const one = async (send: Send, due: number): Promise<void> => {
    counts.sent += 1;
    const answer = await options.send(send).catch((): Answer => ({ status: 'no answer' })); // counted: that is what it is for
    const { status, replayed = false, inProgress = false, retries = 0 } = answer;
    counts.retries += retries;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 202 || status === 201) {
      counts.accepted += 1;
      if (replayed) counts.replayed += 1;
      histogram.recordValue(Math.max(1, Math.round((performance.now() - due) * 1000)));
    } else if (status === 429) counts.refused += 1;
    else if (inProgress) counts.inProgress += 1;
    else counts.failed += 1;
  };
  let nextReport = started + 1000;
  const report = (): void => {
    if (performance.now() < nextReport) return;
    nextReport = performance.now() + 1000;
    options.onProgress?.(state());
  };
  let turns = 0;
  for (const send of options.sends) {
    const due = started + send.dueMs;
    for (let wait = due - performance.now(); wait > 1 && !options.signal.aborted; wait = due - performance.now()) {
      await pause(Math.min(wait, 1000), undefined, { signal: options.signal }).catch(() => undefined); // Ctrl-C ends the load
      report();
    }
    // Behind its time it must still let answers in between.
    if ((turns += 1) % 50 === 0) await turn();
    if (options.signal.aborted) break;
    if (inFlight.size >= options.maxInFlight) counts.dropped += 1;
    else {
      const request = one(send, due);
      inFlight.add(request);
      void request.finally(() => inFlight.delete(request));
    }
    report();
  }
  const reports = setInterval(report, 250);
  await Promise.allSettled(inFlight);
  clearInterval(reports);
  return state();
}

function latencyOf(histogram: Histogram): Latency {
  const ms = (microseconds: number): number => (histogram.totalCount === 0 ? 0 : Math.round(microseconds) / 1000);
  const at = (percentile: number): number => ms(histogram.getValueAtPercentile(percentile));
  return {
    min: ms(histogram.minNonZeroValue),
    mean: ms(histogram.mean),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: ms(histogram.maxValue),
  };
}
