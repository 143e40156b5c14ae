import { build, type Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';

export interface LoadOptions {
  /** Arrivals a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Most requests under way; an arrival beyond them is counted as dropped, not delayed in silence. */
  readonly maxInFlight: number;
  readonly signal: AbortSignal;
  /** One request; says how it ended. */
  readonly send: (n: number) => Promise<'accepted' | 'refused' | 'failed'>;
  readonly onProgress?: (state: LoadState) => void;
}

export interface LoadState {
  readonly elapsedSeconds: number;
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  readonly failed: number;
  readonly dropped: number;
  readonly inFlight: number;
  /** Latency of accepted requests in ms, counted from when each was due. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/**
 * Sends at a fixed arrival rate, whatever the answers (an open model). Latency counts from the moment a request was
 * due, not from when it could be sent, so that a stalled server does not hide its stall (coordinated omission, Gil
 * Tene).
 */
export async function runLoad(options: LoadOptions): Promise<LoadState> {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const counts = { sent: 0, accepted: 0, refused: 0, failed: 0, dropped: 0 };
  const inFlight = new Set<Promise<void>>();
  const started = performance.now();
  const state = (): LoadState => ({
    elapsedSeconds: (performance.now() - started) / 1000,
    ...counts,
    inFlight: inFlight.size,
    latencyMs: percentiles(histogram),
  });
  const one = async (n: number, due: number): Promise<void> => {
    counts.sent += 1;
    const outcome = await options.send(n).catch(() => 'failed' as const); // counted: that is what it is for
    counts[outcome] += 1;
    if (outcome === 'accepted') histogram.recordValue(Math.max(1, Math.round((performance.now() - due) * 1000)));
  };
  const total = Math.round(options.rate * options.seconds);
  let nextReport = started + 1000;
  for (let n = 0; n < total && !options.signal.aborted; n += 1) {
    const due = started + (n / options.rate) * 1000;
    const wait = due - performance.now();
    if (wait > 1) await pause(wait, undefined, { signal: options.signal }).catch(() => undefined); // Ctrl-C ends the load
    if (options.signal.aborted) break;
    if (inFlight.size >= options.maxInFlight) counts.dropped += 1;
    else {
      const request = one(n, due);
      inFlight.add(request);
      void request.finally(() => inFlight.delete(request));
    }
    if (performance.now() >= nextReport) {
      nextReport += 1000;
      options.onProgress?.(state());
    }
  }
  await Promise.allSettled(inFlight);
  return state();
}

function percentiles(histogram: Histogram): LoadState['latencyMs'] {
  const at = (percentile: number): number =>
    histogram.totalCount === 0 ? 0 : Math.round(histogram.getValueAtPercentile(percentile)) / 1000;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.totalCount === 0 ? 0 : histogram.maxValue / 1000,
  };
}
