import type { Evidence } from '@keelson/contracts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { CodeLine } from '../parts/copy.tsx';
import { Time } from '../parts/time.tsx';
import { measureOf } from './measure.ts';

const OUTCOMES: Readonly<Record<Evidence['outcome'], { readonly tone: Tone; readonly text: string }>> = {
  pass: { tone: 'good', text: 'pass' },
  fail: { tone: 'bad', text: 'fail' },
  inconclusive: { tone: 'idle', text: 'no verdict yet' },
  error: { tone: 'warn', text: 'could not be measured' },
};

/** What a decision rests on: each check with its query, value and threshold side by side. */
export function EvidenceList({ evidence }: { readonly evidence: readonly Evidence[] }) {
  return (
    <ul className="evidence">
      {evidence.map((one) => (
        <li key={one.check} data-tone={OUTCOMES[one.outcome].tone}>
          <Piece evidence={one} />
        </li>
      ))}
    </ul>
  );
}

function Piece({ evidence }: { readonly evidence: Evidence }) {
  const { title, value, threshold, sample, scale } = measureOf(evidence);
  const { tone, text } = OUTCOMES[evidence.outcome];
  return (
    <>
      <p className="evidence-head">
        <strong>{title}</strong>
        <Badge tone={tone}>{text}</Badge>
      </p>
      <p className="evidence-figures">
        <span className="evidence-value">{value ?? '–'}</span>
        {threshold === undefined ? null : <span className="quiet">{threshold}</span>}
        {sample === undefined ? null : <span className="quiet">{sample}</span>}
      </p>
      {scale === undefined ? null : <Scale {...scale} />}
      <p className="small">{evidence.summary}</p>
      {evidence.events === undefined || evidence.events.length === 0 ? null : (
        <ul className="evidence-events small">
          {evidence.events.map((event) => (
            <li key={`${event.object} ${event.reason} ${event.message}`}>
              <strong>{event.reason}</strong> ×{event.count} {event.object} <Time at={event.lastSeen} />
              <span className="quiet">{event.message}</span>
            </li>
          ))}
        </ul>
      )}
      {evidence.query === undefined ? null : <CodeLine code={evidence.query} what="query" />}
    </>
  );
}

/** How much of what is allowed was measured; the words beside it say the same. */
function Scale({ measured, limit }: { readonly measured: number; readonly limit: number }) {
  return (
    <span className="scale" aria-hidden="true" data-over={measured > limit}>
      <span className="scale-fill" style={{ width: `${measured * 100}%` }} />
      <span className="scale-limit" style={{ left: `${limit * 100}%` }} />
    </span>
  );
}
