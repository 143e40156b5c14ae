import fc from 'fast-check';
import {
  begin,
  beginCancelled,
  decide,
  defineSaga,
  diagramOf,
  type SagaEffect,
  type SagaInput,
  type SagaSnapshot,
} from '../src/saga/index.ts';
import { messages, trip, type Trip } from './trip.ts';

const start = new Date('2026-03-01T12:00:00.000Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const REPORTED = ['payment', 'hotel', 'car', 'mail'];
const UNDOABLE = ['seat', 'payment', 'hotel', 'car'];

/** A saga with everything that it has caused so far. */
class World {
  saga: SagaSnapshot<Trip>;
  readonly effects: SagaEffect[] = [];
  now = start;

  constructor() {
    const { next, effects } = begin(trip, { key: 'one', data: { traveller: 'Ada' }, now: start });
    this.saga = next;
    this.effects.push(...effects);
  }

  give(...inputs: SagaInput[]): this {
    for (const input of inputs) {
      const { next, effects } = decide(trip, this.saga, input, this.now);
      this.saga = next ?? this.saga;
      this.effects.push(...effects);
    }
    return this;
  }

  get undone(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'undo' ? [effect.step] : []));
  }

  /** What may come now, with what has come already once more. */
  possible(seen: readonly SagaInput[]): SagaInput[] {
    const inputs: SagaInput[] = [...seen, { kind: 'cancel', reason: 'by Ada' }, { kind: 'timeout' }];
    for (const [step, { state, doneAt }] of Object.entries(this.saga.steps)) {
      if (REPORTED.includes(step) && ['begun', 'undoing'].includes(state) && !doneAt)
        inputs.push({ kind: 'done', step });
      if (['payment', 'hotel'].includes(step) && state === 'begun') inputs.push({ kind: 'failed', step, detail: 'no' });
      if (state === 'undoing') inputs.push({ kind: 'undone', step });
    }
    if (this.saga.waitingFor === 'books/do') inputs.push({ kind: 'done', step: 'books' });
    return inputs;
  }
}

const done = (step: string): SagaInput => ({ kind: 'done', step });
const undone = (step: string): SagaInput => ({ kind: 'undone', step });

describe('a saga', () => {
  test('asks for one stage after the other and is completed when all are done', () => {
    const world = new World();
    expect(world.effects).toEqual([{ kind: 'request', stage: 1 }]);
    world.give(done('payment'));
    expect(world.effects.at(-1)).toEqual({ kind: 'request', stage: 2 });
    world.give(done('mail'), done('car'), done('hotel'));
    expect(world.saga).toMatchObject({ state: 'running', waitingFor: 'books/do' });
    expect(world.saga.dueAt).toBeUndefined();
    world.give(done('books'));
    expect(world.saga).toMatchObject({ state: 'completed', endedAt: start });
    expect(world.effects.at(-1)).toEqual({ kind: 'completed' });
  });

  test('keeps the time of each step, and what was said about it', () => {
    const world = new World();
    world.now = after(500);
    world.give({ ...done('payment'), detail: 'pay-7' } as SagaInput);
    expect(world.saga.steps['payment']).toEqual({
      state: 'done',
      begunAt: start.toISOString(),
      doneAt: after(500).toISOString(),
      detail: 'pay-7',
    });
  });

  test('takes back what was done in reverse, each after the one before it', () => {
    const world = new World().give(done('payment'), done('car'), { kind: 'failed', step: 'hotel', detail: 'full' });
    expect(world.saga).toMatchObject({ state: 'compensating', reason: 'hotel failed: full' });
    expect(world.undone).toEqual(['car']);
    world.give(undone('car'));
    expect(world.undone).toEqual(['car', 'payment']);
    world.give(undone('payment'));
    expect(world.saga.waitingFor).toBe('seat/undo');
    world.give(undone('seat'));
    expect(world.saga.state).toBe('compensated');
    expect(world.effects.at(-1)).toEqual({ kind: 'compensated' });
  });

  test('takes back what was asked for and never reported', () => {
    const world = new World();
    world.now = after(10_001);
    world.give({ kind: 'timeout' });
    expect(world.saga).toMatchObject({ state: 'compensating', reason: 'no payment within 10 s' });
    expect(world.undone).toEqual(['payment']);
  });

  test('asks for an undo again, at growing intervals, until it is reported', () => {
    const world = new World().give({ kind: 'cancel', reason: 'by Ada' });
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const due = world.saga.dueAt!;
      waits.push(due.getTime() - world.now.getTime());
      world.now = due;
      world.give({ kind: 'timeout' });
    }
    expect(waits).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10].map((s) => s * 1_000));
    expect(world.undone).toHaveLength(13);
    expect(world.give(undone('payment')).saga.waitingFor).toBe('seat/undo');
  });

  test('that is cancelled before it began takes back only what was done before it', () => {
    const { next, effects } = beginCancelled(trip, {
      key: 'one',
      data: { traveller: 'Ada' },
      reason: 'no',
      now: start,
    });
    expect(next).toMatchObject({ state: 'compensating', waitingFor: 'seat/undo' });
    expect(effects).toEqual([]);
  });

  test('waits up to the last millisecond, and a clock put back only makes it wait', () => {
    for (const ms of [-3_600_000, 0, 9_999]) {
      const world = new World();
      world.now = after(ms);
      expect(world.give({ kind: 'timeout' }).saga.state).toBe('running');
    }
    const late = new World().give(done('payment'), done('mail'));
    late.now = after(60_000);
    expect(late.give({ kind: 'timeout' }).saga.reason).toBe('no hotel, no car within 60 s');
  });

  test('ends whatever comes, how often and in which order; what was done is taken back once, in exact reverse', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), fc.nat(2), (choices, mood) => {
        const world = new World();
        const seen: SagaInput[] = [];
        for (const choice of choices) {
          const possible = world.possible(seen).filter((input) => mood > 0 || input.kind !== 'cancel');
          const input = possible[choice % possible.length]!;
          seen.push(input);
          world.now = after(world.now.getTime() - start.getTime() + (choice % 7) * 700);
          world.give(input);
        }
        // From wherever that has led, what is left to come brings it to its end.
        for (let n = 0; n < 40 && !world.saga.endedAt; n += 1) {
          const next = world.possible([]).find(({ kind }) => kind === 'undone' || kind === 'done')!;
          world.give(next);
        }
        const { state, steps } = world.saga;
        expect(['completed', 'compensated']).toContain(state);
        const ends = world.effects.filter(({ kind }) => kind === 'completed' || kind === 'compensated');
        expect(ends).toEqual([{ kind: state }]);
        const undoneSteps = UNDOABLE.filter((name) => steps[name]!.state === 'undone');
        if (state === 'completed') {
          expect(undoneSteps).toEqual([]);
          expect(Object.values(steps).every((step) => step.state === 'done')).toBe(true);
          return;
        }
        for (const name of UNDOABLE) expect(['waiting', 'failed', 'undone']).toContain(steps[name]!.state);
        expect([...new Set(world.undone)]).toEqual(undoneSteps.filter((name) => name !== 'seat').toReversed());
        const times = undoneSteps.toReversed().map((name) => steps[name]!.undoneAt!);
        expect(times).toEqual(times.toSorted());
      }),
      { numRuns: 500 },
    );
  });

  test('that has ended ignores everything', () => {
    const world = new World().give(done('payment'), done('mail'), done('car'), done('hotel'), done('books'));
    const before = world.saga;
    for (const step of Object.keys(before.steps)) {
      for (const kind of ['done', 'failed', 'undone'] as const) world.give({ kind, step });
    }
    world.now = after(1e9);
    world.give({ kind: 'cancel', reason: 'late' }, { kind: 'timeout' });
    expect(world.saga).toBe(before);
  });
});

describe('a definition', () => {
  test.each([
    {
      name: 'two steps of one name',
      stages: [...trip.stages, ...trip.stages.slice(0, 1)],
      fault: 'two steps are called seat',
    },
    {
      name: 'a message for two things',
      stages: [
        ...trip.stages,
        { request: trip.stages[1]!.request!, steps: [{ ...trip.stages[1]!.steps[0]!, name: 'again' }] },
      ],
      fault: 'message trip.paid.v1 stands for two things',
    },
    {
      name: 'a reported step that nobody is asked for',
      stages: [{ steps: trip.stages[1]!.steps }],
      fault: 'nobody is asked for step payment',
    },
    {
      name: 'a request for nobody',
      stages: [{ ...trip.stages[0]!, request: trip.stages[1]!.request! }],
      fault: 'is for nobody',
    },
    {
      name: 'a local step beside others',
      stages: [{ request: trip.stages[1]!.request!, steps: [...trip.stages[1]!.steps, ...trip.stages[3]!.steps] }],
      fault: 'step books is local, so it needs a stage of its own',
    },
    { name: 'no steps', stages: [], fault: 'it has no step' },
  ])('with $name is refused', ({ stages, fault }) => {
    expect(() => defineSaga<Trip>({ ...trip, stages })).toThrow(fault);
  });

  test('is drawn', () => {
    const drawn = diagramOf(trip);
    expect(drawn).toContain('payment -->|trip.rooms-requested.v1| hotel & car & mail');
    expect(drawn).toContain('failed -.-> undo_car -.-> undo_hotel -.-> undo_payment -.-> undo_seat -.-> compensated');
    const { next } = begin(trip, { key: 'one', data: { traveller: 'Ada' }, now: start });
    expect(diagramOf(trip, next)).toContain('class payment begun');
    expect(messages.booked.routingKey).toBe('trip.booked.v1');
  });
});
