import type { CanarySpec } from '@keelson/contracts';
import { advance, isUndecided, pause, promote, rollBack, type Verdict } from './decide.ts';
import type { ReleaseState } from './state.ts';

/** What a person may ask of a release. */
export type Command =
  | { readonly kind: 'promote'; readonly full: boolean; readonly reason: string }
  | { readonly kind: 'abort'; readonly reason: string }
  | { readonly kind: 'pause'; readonly reason: string }
  | { readonly kind: 'resume'; readonly reason: string };

/** The verdict, `unchanged` where it is already so (asking twice is no fault), or why it cannot be done now. */
export type CommandOutcome =
  | { readonly kind: 'done'; readonly verdict: Verdict }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'wrong-phase'; readonly detail: string };

/** Applies a person's command to a release. Pure, like {@link decide}. */
export function applyCommand(spec: CanarySpec, state: ReleaseState, command: Command, now: Date): CommandOutcome {
  const words = (fallback: string) => (command.reason === '' ? fallback : command.reason);
  const wrong = (allowed: string): CommandOutcome => ({
    kind: 'wrong-phase',
    detail: `the release is ${state.phase} (${state.reason}); ${command.kind} is possible while it is ${allowed}`,
  });
  switch (command.kind) {
    case 'promote': {
      if (state.phase === 'Promoting' || state.phase === 'Promoted') return { kind: 'unchanged' };
      if (state.phase !== 'Paused' && state.phase !== 'Progressing') return wrong('Paused or Progressing');
      if (command.full)
        return { kind: 'done', verdict: promote(state, now, words('promoted by hand'), state.evidence) };
      if (state.phase === 'Progressing') return wrong('Paused (or pass full to send all traffic now)');
      return { kind: 'done', verdict: advance(spec, state, now, words('promoted by hand'), state.evidence) };
    }
    case 'abort': {
      if (state.phase === 'RollingBack' || state.phase === 'RolledBack') return { kind: 'unchanged' };
      if (!isUndecided(state)) return wrong('Pending, Progressing or Paused');
      return { kind: 'done', verdict: rollBack(state, now, words('aborted by hand'), state.evidence) };
    }
    case 'pause': {
      if (state.phase === 'Paused') return { kind: 'unchanged' };
      if (state.phase !== 'Progressing') return wrong('Progressing');
      return { kind: 'done', verdict: pause(state, now, words('paused by hand'), state.evidence) };
    }
    case 'resume': {
      if (state.phase === 'Progressing') return { kind: 'unchanged' };
      if (state.phase !== 'Paused') return wrong('Paused');
      const reason = words('resumed by hand');
      return {
        kind: 'done',
        verdict: {
          // The step is held anew: what was seen before the pause says little about now.
          next: { ...state, phase: 'Progressing', since: now, failures: 0, inconclusiveSince: undefined, reason },
          decision: { act: 'resume', reason, evidence: state.evidence },
        },
      };
    }
    default:
      return command satisfies never;
  }
}
