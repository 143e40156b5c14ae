import type { Decision } from '@keelson/contracts';
import { Clock, Time } from '../parts/time.tsx';
import { EvidenceList } from './evidence.tsx';
import { ActBadge } from './phase.tsx';

/** Every decision with who made it and what it rests on, the newest first; `open` shows why it was rolled back. */
export function History({ decisions, open }: { readonly decisions: readonly Decision[]; readonly open: boolean }) {
  const opened = open ? firstFailed(decisions) : -1;
  return (
    <ol className="history">
      {decisions.map((decision, at) => (
        <li key={decision.id}>
          <DecisionItem decision={decision} open={at === opened} />
        </li>
      ))}
    </ol>
  );
}

/** The newest decision that failed evidence led to: what one comes for after a rollback. */
const firstFailed = (decisions: readonly Decision[]): number =>
  decisions.findIndex(({ act, evidence }) => act === 'roll-back' && evidence.some(({ outcome }) => outcome === 'fail'));

function DecisionItem({ decision, open }: { readonly decision: Decision; readonly open: boolean }) {
  const { at, act, reason, actor, step, weight, evidence } = decision;
  return (
    <>
      <div className="decision-head">
        <ActBadge act={act} />
        <Clock at={at} />
        <span className="quiet small">
          <Time at={at} />
        </span>
        <span className="quiet small decision-actor">
          {actor === 'controller' ? 'by the controller' : `by ${actor}`}
          {step < 0 ? '' : ` · step ${step + 1}`} · {weight} %
        </span>
      </div>
      <p>{reason}</p>
      {evidence.length === 0 ? null : (
        <details open={open}>
          <summary className="small">
            Evidence <span className="quiet">{tally(decision)}</span>
          </summary>
          <EvidenceList evidence={evidence} />
        </details>
      )}
    </>
  );
}

function tally({ evidence }: Decision): string {
  const of = (wanted: string): number => evidence.filter(({ outcome }) => outcome === wanted).length;
  return (['fail', 'pass', 'inconclusive', 'error'] as const)
    .map((outcome) => [of(outcome), outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`)
    .join(', ');
}
