import { useState } from 'react';
import type { MessageKey } from '../../services.ts';
import { useRead } from '../api/use-read.ts';
import { Copy } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { MayButton } from '../parts/may.tsx';
import { Section } from '../parts/page.tsx';
import { Show } from '../parts/reading.tsx';
import { Instant } from '../parts/time.tsx';
import { useQuery } from '../routing/location.ts';
import { useSession } from '../session/session.ts';
import { EditDialog } from './edit-dialog.tsx';
import { isWhole, pretty } from './payload.ts';
import { useMessagesPermission } from './which.ts';

interface MessageSectionProps {
  readonly of: MessageKey;
  readonly queue: string;
  readonly id: string;
}

const NOT_WHOLE = 'Only a part of the body is here, or it is no text: keelson messages export has all of it.';

/** One parked message in full. */
export function MessageSection({ of, queue, id }: MessageSectionProps) {
  const { messages } = useSession();
  const permission = useMessagesPermission(of, 'messages:read');
  const write = useMessagesPermission(of, 'messages:write');
  const [, change] = useQuery();
  const [editing, setEditing] = useState(false);
  const message = useRead(
    `parked/${queue}/${id}`,
    (signal) => messages[of].peekParked({ params: { queue, id }, signal }),
    { enabled: permission.allowed },
  );
  return (
    <Section
      title="Message"
      aside={
        <button type="button" className="button" onClick={() => change({ message: undefined })}>
          Close
        </button>
      }
    >
      <Show reading={message} what="the message" lines={6}>
        {(found) => {
          const body = pretty(found.body ?? '');
          const whole = isWhole(found.body ?? '', found.bytes);
          return (
            <>
              <p className="refusal">{found.reason}</p>
              <Facts
                facts={{
                  Error: found.code,
                  Type: <code>{found.type}</code>,
                  Id: <code>{found.id}</code>,
                  Key: found.key,
                  Attempts: found.attempts,
                  'First failed': found.firstFailedAt === undefined ? undefined : <Instant at={found.firstFailedAt} />,
                  'Last failed': found.lastFailedAt === undefined ? undefined : <Instant at={found.lastFailedAt} />,
                  'Sent again': found.redriveCount,
                  'Came from': `${found.exchange ?? ''} with ${found.routingKey ?? ''}`,
                  Trace: found.traceId === undefined ? undefined : <code>{found.traceId}</code>,
                }}
              />
              <div className="section-head">
                <h3>Body</h3>
                <span className="buttons">
                  <MayButton
                    permission={whole ? write : { allowed: false, reason: NOT_WHOLE }}
                    onClick={() => setEditing(true)}
                  >
                    Correct and send…
                  </MayButton>
                  <Copy text={body} what="the body" />
                </span>
              </div>
              <pre className="block" role="group" tabIndex={0} aria-label="The body">
                {body}
              </pre>
              {editing ? (
                <EditDialog
                  of={of}
                  queue={queue}
                  id={id}
                  body={body}
                  onClose={() => setEditing(false)}
                  onSent={() => change({ message: undefined })}
                />
              ) : null}
              {found.stack === undefined ? null : (
                <>
                  <h3>Stack</h3>
                  <pre className="block" role="group" tabIndex={0} aria-label="The stack">
                    {found.stack}
                  </pre>
                </>
              )}
            </>
          );
        }}
      </Show>
    </Section>
  );
}
