import { canaryPhase } from '@keelson/contracts';
import { ACT_NAMES, commandLine, possible } from './acts.ts';

test('what is possible in which phase is what canary-controller allows', () => {
  const table = Object.fromEntries(
    canaryPhase.options.map((phase) => [phase, ACT_NAMES.filter((act) => possible(act, phase).allowed).join(' ')]),
  );
  expect(table).toEqual({
    Pending: 'abort',
    Progressing: 'promote-full pause abort',
    Paused: 'promote promote-full resume abort',
    Promoting: '',
    Promoted: '',
    RollingBack: '',
    RolledBack: '',
    Refused: '',
  });
});

test('what is not possible says when it is', () => {
  expect(possible('resume', 'Promoted')).toEqual({
    allowed: false,
    reason: '“Resume” is possible while the release is Paused; it is Promoted.',
  });
});

test('the command line does the same', () => {
  const canary = { namespace: 'shop', name: 'web' };
  expect(commandLine('abort', canary)).toBe('keelson canary abort shop/web');
  expect(commandLine('promote-full', canary)).toBe('keelson canary promote shop/web --full');
});
