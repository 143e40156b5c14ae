import { runLoad } from './open-model.ts';

const options = { rate: 200, seconds: 0.5, maxInFlight: 1000, signal: new AbortController().signal };

test('sends as many as the rate asks for, and counts how each ended', async () => {
  const state = await runLoad({
    ...options,
    send: async (n) => (n % 4 === 0 ? 'refused' : n % 10 === 1 ? 'failed' : 'accepted'),
  });
  expect(state).toMatchObject({ sent: 100, refused: 25, failed: 10, accepted: 65, dropped: 0, inFlight: 0 });
});

test('a server that stalls does not hide its stall: latency counts from when a request was due', async () => {
  let release: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => (release = resolve));
  const state = await runLoad({
    ...options,
    send: async (n) => {
      if (n === 99) release();
      await stalled;
      return 'accepted';
    },
  });
  // The first was due half a second before the stall ended, and half of them waited longer than a tenth of it.
  expect(state.latencyMs.max).toBeGreaterThan(300);
  expect(state.latencyMs.p50).toBeGreaterThan(100);
});

test('what is beyond the bound of requests under way is counted as dropped', async () => {
  let release: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => (release = resolve));
  setTimeout(release, 700);
  const state = await runLoad({ ...options, maxInFlight: 10, send: async () => (await stalled, 'accepted') });
  expect(state).toMatchObject({ sent: 10, accepted: 10, dropped: 90 });
});

test('a request that throws has failed', async () => {
  const state = await runLoad({ ...options, seconds: 0.05, send: () => Promise.reject(new Error('reset')) });
  expect(state).toMatchObject({ sent: 10, failed: 10 });
});
