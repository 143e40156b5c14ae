import { useId, useState } from 'react';
import type { MessageKey } from '../../services.ts';
import { useAct } from '../api/use-act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useSession } from '../session/session.ts';
import { payloadOf } from './payload.ts';

interface EditDialogProps {
  readonly of: MessageKey;
  readonly queue: string;
  readonly id: string;
  /** As it was parked. */
  readonly body: string;
  /** It was left as it is. */
  readonly onClose: () => void;
  readonly onSent: () => void;
}

/** Sends a corrected copy under a new id; the service takes the original out, or refuses what breaks the contract. */
export function EditDialog({ of, queue, id, body, onClose, onSent }: EditDialogProps) {
  const { messages } = useSession();
  const [text, setText] = useState(body);
  const [newId, setNewId] = useState<string>();
  const field = useId();
  const hint = useId();
  const payload = payloadOf(text);
  const sending = useAct(async () => {
    if (!payload.ok) return;
    const sent = await messages[of].editParked({ params: { queue, id }, body: { payload: payload.value } });
    setNewId(sent.id);
  });
  if (newId !== undefined) {
    return (
      <Dialog
        title="Correct and send"
        verb="Close"
        pending={false}
        error={undefined}
        onConfirm={onSent}
        onClose={onSent}
      >
        <p role="status">
          The corrected copy was sent as <code>{newId}</code>; the original is no longer parked.
        </p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="Correct and send"
      verb="Send the corrected copy"
      pending={sending.pending}
      blocked={!payload.ok || text === body}
      error={sending.error}
      onConfirm={() => void sending.run()}
      onClose={onClose}
    >
      <p className="quiet">
        The copy goes to {queue} alone, under a new id; then the original is taken out of the parking lot.
      </p>
      <p className="field">
        <label htmlFor={field}>Body</label>
        <textarea
          id={field}
          className="code"
          rows={8}
          value={text}
          spellCheck={false}
          aria-invalid={!payload.ok}
          aria-describedby={hint}
          onChange={(event) => setText(event.target.value)}
        />
      </p>
      <p id={hint} className={payload.ok ? 'quiet small' : 'refusal'}>
        {payload.ok ? 'JSON. The service holds it against the contract of the message.' : payload.reason}
      </p>
    </Dialog>
  );
}
