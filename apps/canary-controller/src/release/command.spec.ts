import { applyCommand } from './command.ts';
import { aSpec, aState, at } from './release.builder.ts';

describe('a command', () => {
  const spec = aSpec();
  const cases = [
    { name: 'abort rolls back a release under way', phase: 'Progressing', kind: 'abort', becomes: 'RollingBack' },
    { name: 'abort rolls back while it waits for pods', phase: 'Pending', kind: 'abort', becomes: 'RollingBack' },
    { name: 'abort twice is no fault', phase: 'RolledBack', kind: 'abort', becomes: undefined },
    { name: 'abort after promotion is refused', phase: 'Promoted', kind: 'abort', becomes: 'refused' },
    { name: 'promote leaves a pause', phase: 'Paused', kind: 'promote', becomes: 'Progressing' },
    { name: 'promote without a pause is refused', phase: 'Progressing', kind: 'promote', becomes: 'refused' },
    { name: 'pause holds', phase: 'Progressing', kind: 'pause', becomes: 'Paused' },
    { name: 'resume goes on', phase: 'Paused', kind: 'resume', becomes: 'Progressing' },
    { name: 'resume of what is over is refused', phase: 'RolledBack', kind: 'resume', becomes: 'refused' },
  ] as const;
  test.each(cases)('$name', ({ phase, kind, becomes }) => {
    const command = kind === 'promote' ? { kind, full: false, reason: '' } : { kind, reason: '' };
    const outcome = applyCommand(spec, aState({ phase }), command, at(5));
    if (becomes === 'refused') expect(outcome).toMatchObject({ kind: 'wrong-phase' });
    else if (becomes === undefined) expect(outcome).toEqual({ kind: 'unchanged' });
    else expect(outcome).toMatchObject({ kind: 'done', verdict: { next: { phase: becomes } } });
  });

  test('promote with full sends everything at once', () => {
    const outcome = applyCommand(spec, aState(), { kind: 'promote', full: true, reason: 'urgent' }, at(5));
    expect(outcome).toMatchObject({
      kind: 'done',
      verdict: { next: { phase: 'Promoting', weight: 100, reason: 'urgent' } },
    });
  });
});
