import { CONSUMERS, INSTANCES, KINDS, type Kind, type KindName, type TargetOf } from './kinds.ts';
import { dice, type Dice } from './seeded.ts';

/** One fault of a schedule. */
export interface PlannedFault {
  readonly kind: KindName;
  /** Milliseconds since the load began. */
  readonly atMs: number;
  /** How long it lasts. */
  readonly outageMs: number;
  /** The process or role that it hits, where its kind hits one. */
  readonly target: string | undefined;
  /** Seed of what it chooses itself: which messages, which delay. */
  readonly seed: number;
}

/** A fault, perhaps with a second one while it lasts. The next step begins when both are over and mended. */
export interface Step {
  readonly faults: readonly PlannedFault[];
  /** When the next step may begin. */
  readonly untilMs: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Kinds to choose from. */
  readonly kinds: readonly KindName[];
}

/** Before the first fault the load has begun to flow, and after the last one it still does. */
export const CALM_MS = 4_000;

/** Of faults in broker, database and network, this share has a process die meanwhile. */
const WITH_A_COMPANION = 0.3;

/**
 * What goes wrong when: a function of its options alone, so that a run can be repeated. The kinds are dealt like cards:
 * each comes once before any comes again. After each step its parts have the time to recover that their kinds need.
 */
export function schedule({ seed, seconds, kinds }: ScheduleOptions): Step[] {
  const random = dice(seed);
  const end = seconds * 1000 - CALM_MS;
  const steps: Step[] = [];
  let at = CALM_MS;
  let deck: KindName[] = [];
  for (let refused = 0; refused < kinds.length;) {
    if (deck.length === 0) deck = random.shuffled(kinds);
    const step = makeStep(deck.shift()!, at, kinds, random);
    if (step.untilMs > end) {
      refused += 1;
      continue;
    }
    refused = 0;
    steps.push(step);
    at = step.untilMs + random.between(0, 1_000);
  }
  return steps;
}

function makeStep(kind: KindName, atMs: number, kinds: readonly KindName[], random: Dice): Step {
  const main = makeFault(kind, atMs, random);
  const companions = kinds.filter((name) => KINDS[name].area === 'process');
  const mayHaveOne = ['broker', 'database', 'network'].includes(KINDS[kind].area) && companions.length > 0;
  const faults =
    mayHaveOne && random.next() < WITH_A_COMPANION
      ? [main, makeFault(random.oneOf(companions), atMs + random.between(0, main.outageMs), random)]
      : [main];
  return {
    faults,
    untilMs: Math.max(...faults.map((fault) => fault.atMs + fault.outageMs + KINDS[fault.kind].recoverMs)),
  };
}

function makeFault(kind: KindName, atMs: number, random: Dice): PlannedFault {
  const { outageMs, target }: Kind = KINDS[kind];
  return {
    kind,
    atMs,
    outageMs: random.between(...outageMs),
    target: targetOf(target, random),
    seed: random.between(0, 2 ** 31),
  };
}

function targetOf(target: TargetOf, random: Dice): string | undefined {
  switch (target) {
    case 'instance':
      return random.oneOf(INSTANCES);
    case 'consumer':
      return random.oneOf(CONSUMERS);
    case 'role':
      return random.oneOf([...new Set(INSTANCES.map((name) => name.split('-')[0]!))]);
    case 'none':
      return undefined;
    default:
      return target satisfies never;
  }
}

/** A line for each fault: `  12.3 s  kill-process coupons-1, 1.2 s`; a companion is indented. */
export function scheduleLines(steps: readonly Step[]): string[] {
  return steps.flatMap(({ faults }) =>
    faults.map(({ kind, atMs, outageMs, target }, index) =>
      [
        `${(atMs / 1000).toFixed(1).padStart(7)} s  ${index === 0 ? '' : '  and '}${kind}`,
        target === undefined ? '' : ` ${target}`,
        outageMs === 0 ? '' : `, ${(outageMs / 1000).toFixed(1)} s`,
      ].join(''),
    ),
  );
}
