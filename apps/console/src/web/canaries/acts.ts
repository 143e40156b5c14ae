import type { Canary, Scope } from '@keelson/contracts';
import type { Permission } from '../session/standing.ts';

export const ACT_NAMES = ['promote', 'promote-full', 'pause', 'resume', 'abort'] as const;
export type ActName = (typeof ACT_NAMES)[number];

type Phase = Canary['phase'];

/** Everything that a person may do to a release: what it takes, and in which phases it means anything. */
export const ACTS: Readonly<
  Record<
    ActName,
    { readonly verb: string; readonly scope: Scope; readonly phases: readonly Phase[]; readonly effect: string }
  >
> = {
  promote: {
    verb: 'Go on',
    scope: 'canaries:promote',
    phases: ['Paused'],
    effect: 'The release goes on with its next step, or is promoted if this was the last one.',
  },
  'promote-full': {
    verb: 'Promote now',
    scope: 'canaries:promote',
    phases: ['Paused', 'Progressing'],
    effect:
      'All traffic goes to the new version now. The steps that are left are not held, and nothing more is judged.',
  },
  pause: {
    verb: 'Pause',
    scope: 'canaries:write',
    phases: ['Progressing'],
    effect: 'The traffic stays split as it is now, until somebody resumes, promotes or rolls back.',
  },
  resume: {
    verb: 'Resume',
    scope: 'canaries:write',
    phases: ['Paused'],
    effect: 'The step begins anew and is held and judged as before.',
  },
  abort: {
    verb: 'Roll back',
    scope: 'canaries:abort',
    phases: ['Pending', 'Progressing', 'Paused'],
    effect: 'All traffic goes back to the old version now. The new version needs another release to be tried again.',
  },
};

/** Whether an act means anything in the present phase; the words are those for whoever looks at the button. */
export function possible(act: ActName, phase: Phase): Permission {
  const { phases, verb } = ACTS[act];
  if (phases.includes(phase)) return { allowed: true };
  return {
    allowed: false,
    reason: `“${verb}” is possible while the release is ${phases.join(' or ')}; it is ${phase}.`,
  };
}

/** The command line that does the same. */
export function commandLine(act: ActName, { namespace, name }: Pick<Canary, 'namespace' | 'name'>): string {
  const [verb, flag] = act === 'promote-full' ? ['promote', ' --full'] : [act, ''];
  return `keelson canary ${verb} ${namespace}/${name}${flag}`;
}
