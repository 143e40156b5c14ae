import { eventually } from './eventually.ts';

describe('eventually', () => {
  test('returns the first answer that is neither false nor undefined nor an error', async () => {
    const answers = [() => undefined, () => false, () => JSON.parse('{') as string, () => 0];
    expect(await eventually(() => (answers.shift() ?? (() => 'too many'))(), { everyMs: 1 })).toBe(0);
  });

  test('names what it waited for, how long, and the last failure', async () => {
    const waiting = eventually(
      () => {
        throw new Error('connection refused');
      },
      { withinMs: 20, everyMs: 5, describe: 'the queue is empty' },
    );
    await expect(waiting).rejects.toThrow('Not within 20 ms: the queue is empty. Last time: connection refused');
  });

  test('gives up on a probe that hangs', async () => {
    await expect(eventually(() => new Promise<string>(() => {}), { withinMs: 20 })).rejects.toThrow('Not within 20 ms');
  });
});
