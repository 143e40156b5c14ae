import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Failure } from './failure.tsx';

interface DialogProps {
  readonly title: string;
  readonly children: ReactNode;
  /** What the button that does it says: "Roll back". */
  readonly verb: string;
  readonly tone?: 'bad' | 'normal';
  readonly pending: boolean;
  /** Whether what is asked for is not filled in yet, so that it cannot be done. */
  readonly blocked?: boolean;
  readonly error: unknown;
  /** What must be typed before it may be done, where it cannot be undone. */
  readonly typed?: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something is done. The browser's own modal dialog: it keeps the focus inside and closes on Escape. */
export function Dialog({
  title,
  children,
  verb,
  tone = 'normal',
  pending,
  blocked = false,
  error,
  typed,
  onConfirm,
  onClose,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const heading = useId();
  const field = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (shown?.open === false) shown.showModal();
    return () => shown?.close();
  }, []);
  const ready = !blocked && (typed === undefined || text.trim() === typed);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready && !pending) onConfirm();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form onSubmit={submit} className="dialog">
        <h2 id={heading}>{title}</h2>
        {children}
        {typed === undefined ? null : (
          <p className="field">
            <label htmlFor={field}>
              Type <code>{typed}</code> to go on
            </label>
            <input
              id={field}
              value={text}
              onChange={(event) => setText(event.target.value)}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
            />
          </p>
        )}
        {error === undefined ? null : <Failure error={error} />}
        <div className="buttons end">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" data-tone={tone} disabled={!ready || pending}>
            {pending ? 'Working…' : verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}
