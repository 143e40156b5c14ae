import { arrivals } from './arrivals.ts';
import { runLoad, type Answer, type LoadOptions } from './open-model.ts';
import { sends } from './sends.ts';

const accepted: Answer = { status: 202 };

const load = ({ seconds = 0.5, ...options }: Partial<LoadOptions> & { seconds?: number }) =>
  runLoad({
    sends: sends({ arrivals: arrivals({ profile: 'steady', rate: 200, seconds }), duplicate: 0, reorder: 0, seed: 1 }),
    maxInFlight: 1000,
    signal: new AbortController().signal,
    send: async () => accepted,
    ...options,
  });

test('sends as many as the rate asks for, and counts how each ended', async () => {
  const answers: Answer[] = [
    accepted,
    { status: 202, replayed: true, retries: 3 },
    { status: 429 },
    { status: 409, inProgress: true },
    { status: 503 },
  ];
  const state = await load({ send: async ({ order }) => answers[order % answers.length]! });
  expect(state).toMatchObject({
    sent: 100,
    accepted: 40,
    replayed: 20,
    retries: 60,
    refused: 20,
    inProgress: 20,
    failed: 20,
    dropped: 0,
    inFlight: 0,
    statuses: { 202: 40, 429: 20, 409: 20, 503: 20 },
  });
});

test('a server that stalls does not hide its stall: latency counts from when a request was due', async () => {
  let release: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => (release = resolve));
  const state = await load({
    send: async ({ order }) => {
      if (order === 99) release();
      await stalled;
      return accepted;
    },
  });
  // The first was due half a second before the stall ended, and half of them waited longer than a tenth of it.
  expect(state.latencyMs.max).toBeGreaterThan(300);
  expect(state.latencyMs.p50).toBeGreaterThan(100);
});

test('what is beyond the bound of requests under way is counted as dropped', async () => {
  let answer: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => (answer = resolve));
  let sent = 0;
  const running = load({ maxInFlight: 10, send: async () => ((sent += 1), await stalled, accepted) });
  // No answer before every arrival is past, however slow the machine is.
  setTimeout(answer, 700);
  expect(await running).toMatchObject({ sent: 10, accepted: 10, dropped: 90 });
  expect(sent).toBe(10);
});

test('a request that throws has failed', async () => {
  const state = await load({ seconds: 0.05, send: () => Promise.reject(new Error('reset')) });
  expect(state).toMatchObject({ sent: 10, failed: 10, statuses: { 'no answer': 10 } });
});

test('an abort ends the load early and waits for what is under way', async () => {
  const interrupted = new AbortController();
  const state = await load({
    seconds: 3600,
    signal: interrupted.signal,
    send: async ({ order }) => {
      if (order === 5) interrupted.abort();
      return accepted;
    },
  });
  expect(state).toMatchObject({ sent: state.accepted, inFlight: 0 });
  expect(state.sent).toBeLessThan(1000);
});
