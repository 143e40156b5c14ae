import { Cancellation } from './cancellation.ts';

describe('a cancellation', () => {
  test('happens once: the first reason stays', async () => {
    const cancellation = new Cancellation();
    const { signal } = cancellation;
    cancellation.cancel(new Error('first'));
    cancellation.cancel(new Error('second'));
    expect(signal.aborted).toBe(true);
    expect((signal.reason as Error).message).toBe('first');
  });

  test('aborts a signal that is asked for afterwards', () => {
    const cancellation = new Cancellation();
    cancellation.cancel(new Error('gone'));
    expect(cancellation.signal.aborted).toBe(true);
  });

  test('rejects what is waited for, and lets through what ends before', async () => {
    const cancellation = new Cancellation();
    expect(await cancellation.stopping(Promise.resolve(7))).toBe(7);
    const waiting = cancellation.stopping(new Promise(() => undefined));
    cancellation.cancel(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(cancellation.pause(60_000)).rejects.toThrow('stop');
  });
});
