import { setTimeout as pause } from 'node:timers/promises';
import { CARRY_OUT } from './carry-out/carry-out.ts';
import type { Narrator } from './narrator.ts';
import type { FaultOptions } from './options.ts';
import { compensated, parked, settled, verify } from './place/aftermath.ts';
import { Load } from './place/load.ts';
import type { Place } from './place/place.ts';
import { CALM_MS, type PlannedFault, type Step } from './schedule/schedule.ts';

export interface FaultRun {
  readonly place: Place;
  readonly steps: readonly Step[];
  readonly options: FaultOptions;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

/** So long everything may take to come to rest after the last fault; rabbitmqctl alone takes many seconds on a busy machine. */
const SETTLE_MS = 600_000;

/** Load, faults, rest, verdict. True if nothing was lost, doubled, stuck or negative, and nothing happened that no fault explains. */
export async function run({ place, steps, options, narrator, signal }: FaultRun): Promise<boolean> {
  const wrong: string[] = [];
  const load = await Load.start(place, options);
  try {
    narrator.begin();
    narrator.say(`${options.rate} orders a second`);
    for (const [index, step] of steps.entries()) {
      // A busy machine takes longer over each; a fault after the load would show little.
      if (narrator.elapsedMs > options.seconds * 1000 - CALM_MS) {
        narrator.say(`no time is left for ${steps.slice(index).flatMap(({ faults }) => faults).length} further faults`);
        break;
      }
      await carryOut(step, { place, narrator, signal }, wrong);
    }
    await until(options.seconds * 1000, narrator, signal);
    const result = await load.end();
    const { p50, p99, max } = result.latencyMs;
    narrator.say(
      `load is over: ${result.sent} requests, ${result.accepted} answered 202 (${result.replayed} of them again), ${result.retries} retries; ` +
        `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms`,
    );
    if (result.failed > 0) wrong.push(`${result.failed} requests were answered as nobody should be`);
    await Promise.race([settled(place, SETTLE_MS), aborted(signal)]).catch(
      (error: Error) => void wrong.push(error.message),
    );
    signal.throwIfAborted();
    const lots = await parked(place);
    narrator.say(`at rest; ${lots.poison} poison messages are parked`);
    for (const message of lots.real) narrator.say(`given up: ${message}`);
    const declined = steps.some(({ faults }) => faults.some(({ kind }) => kind === 'payment-declines'));
    for (const { reason, count } of await compensated(place)) {
      narrator.say(`compensated: ${count} orders, ${reason}`);
      if (!declined || !reason.includes('payment')) wrong.push(`${count} orders are compensated: ${reason}`);
    }
    const verdict = await verify(place, load.idsFile);
    wrong.push(...[...place.processes.values()].flatMap(({ surprises }) => surprises));
    narrator.line();
    for (const reason of wrong) narrator.line(`not explained by any fault: ${reason}`);
    for (const line of verdict.lines.slice(1)) narrator.line(line);
    narrator.line(verdict.lines[0] ?? 'the verifier said nothing');
    return verdict.ok && wrong.length === 0;
  } finally {
    await load.stop();
  }
}

async function carryOut(
  { faults }: Step,
  { place, narrator, signal }: Pick<FaultRun, 'place' | 'narrator' | 'signal'>,
  wrong: string[],
): Promise<void> {
  const one = async (fault: PlannedFault): Promise<void> => {
    await until(fault.atMs, narrator, signal);
    await CARRY_OUT[fault.kind]({ place, fault, say: (text) => narrator.say(text) });
  };
  const results = await Promise.allSettled(faults.map(one));
  signal.throwIfAborted();
  for (const [index, result] of results.entries())
    if (result.status === 'rejected') wrong.push(`${faults[index]!.kind}: ${String(result.reason)}`);
  const begun = performance.now();
  await Promise.race([place.ready(), aborted(signal)]).catch((error: Error) => void wrong.push(error.message));
  signal.throwIfAborted();
  narrator.say(`every process is ready ${((performance.now() - begun) / 1000).toFixed(1)} s later`);
}

async function until(atMs: number, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const left = atMs - narrator.elapsedMs;
  if (left > 0) await pause(left, undefined, { signal });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
