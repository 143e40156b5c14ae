import { type Order, ProblemError, type Saga, type SagaStep } from '@keelson/contracts';
import { useState } from 'react';
import { useRead } from '../api/use-read.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { CodeLine } from '../parts/copy.tsx';
import { Icon } from '../parts/icon.tsx';
import { Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { pause } from '../parts/relative.ts';
import { Clock, Time } from '../parts/time.tsx';
import { useSession } from '../session/session.ts';

const STATES: Readonly<Record<Saga['state'], Tone>> = {
  running: 'info',
  compensating: 'warn',
  completed: 'good',
  compensated: 'warn',
};

const STEPS: Readonly<Record<SagaStep['state'], { tone: Tone; words: string }>> = {
  waiting: { tone: 'idle', words: 'not begun' },
  begun: { tone: 'info', words: 'under way' },
  done: { tone: 'good', words: 'done' },
  failed: { tone: 'bad', words: 'failed' },
  undoing: { tone: 'warn', words: 'being taken back' },
  undone: { tone: 'warn', words: 'taken back' },
};

/** The process of one order: each step with its times, and what was taken back. */
export function SagaSection({ order }: { readonly order: Order }) {
  const { clients } = useSession();
  const [ended, setEnded] = useState(false);
  const saga = useRead(
    `order/${order.id}/saga`,
    async (signal) => {
      try {
        const read = await clients.orders.getOrderSaga({ params: { id: order.id }, signal });
        setEnded(read.endedAt !== undefined);
        return read;
      } catch (error) {
        // Its first message is on the way.
        if (error instanceof ProblemError && error.status === 404) return 'not-begun' as const;
        throw error;
      }
    },
    { everyMs: ended ? undefined : 1_000 },
  );
  return (
    <Section title="Its process">
      <Show reading={saga} what="the process" lines={4}>
        {(read) =>
          read === 'not-begun' ? (
            <Empty icon="running" title="The process has not begun">
              Its message is on the way to the inventory role.
            </Empty>
          ) : (
            <Diagram saga={read} />
          )
        }
      </Show>
    </Section>
  );
}

function Diagram({ saga }: { readonly saga: Saga }) {
  return (
    <>
      <p className="saga-head">
        <Badge tone={STATES[saga.state]}>{saga.state}</Badge>
        <span className="quiet small">
          definition {saga.definitionVersion}
          {saga.endedAt === undefined ? null : `, took ${pause(Date.parse(saga.endedAt) - Date.parse(saga.startedAt))}`}
          {saga.dueAt === undefined || saga.endedAt !== undefined ? null : (
            <>
              , times out <Time at={saga.dueAt} />
            </>
          )}
        </span>
      </p>
      {saga.reason === undefined ? null : <p className="refusal">{saga.reason}</p>}
      <ol className="saga">
        {saga.stages.map(({ steps }) => (
          <li key={steps[0]?.name}>
            <ul>
              {steps.map((step) => (
                <Step key={step.name} step={step} startedAt={saga.startedAt} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
      <details className="elsewhere">
        <summary>
          <Icon name="terminal" />
          The definition as Mermaid
        </summary>
        <CodeLine code={saga.diagram} what="diagram" />
      </details>
    </>
  );
}

function Step({ step, startedAt }: { readonly step: SagaStep; readonly startedAt: string }) {
  const { tone, words } = STEPS[step.state];
  const times = [
    { name: 'begun', at: step.begunAt },
    { name: 'done', at: step.doneAt },
    { name: 'failed', at: step.failedAt },
    { name: 'taken back from', at: step.undoingAt },
    { name: 'taken back', at: step.undoneAt },
  ].filter((one): one is { name: string; at: string } => one.at !== undefined);
  const took =
    step.begunAt === undefined || step.doneAt === undefined
      ? undefined
      : pause(Date.parse(step.doneAt) - Date.parse(step.begunAt));
  return (
    <li className="saga-step" data-tone={tone}>
      <strong>{step.name}</strong>
      <Badge tone={tone}>{words}</Badge>
      <ul className="saga-times small">
        {times.map(({ name, at }) => (
          <li key={name}>
            <span className="quiet">{name}</span> <Clock at={at} />{' '}
            <span className="quiet">{sinceStart(at, startedAt)}</span>
          </li>
        ))}
      </ul>
      {took === undefined ? null : <span className="quiet small">took {took}</span>}
      {step.detail === undefined ? null : <span className="quiet small saga-detail">{step.detail}</span>}
      {step.undoable ? null : <span className="quiet small">cannot be taken back</span>}
    </li>
  );
}

/** A process takes less than a second: the time of day alone would say nothing. */
function sinceStart(at: string, startedAt: string): string {
  const ms = Date.parse(at) - Date.parse(startedAt);
  return ms <= 0 ? '' : `+${pause(ms)}`;
}
