import { useEffect, useState } from 'react';
import { Icon } from './icon.tsx';

/** Copies a text; says so where it was pressed, and to screen readers. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'failed'>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), 2_500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (): Promise<void> => {
    try {
      // Browsers offer the clipboard on https and localhost only.
      await navigator.clipboard.writeText(text);
      setOutcome('copied');
    } catch {
      setOutcome('failed');
    }
  };
  return (
    <>
      <button
        type="button"
        className="copy"
        onClick={() => void copy()}
        aria-label={`Copy ${what}`}
        title={`Copy ${what}`}
      >
        <Icon name={outcome === 'copied' ? 'good' : 'copy'} />
      </button>
      <span role="status" className="unseen">
        {outcome === 'copied'
          ? `${what} copied`
          : outcome === 'failed'
            ? `The browser does not let ${what} be copied here`
            : ''}
      </span>
    </>
  );
}

/** A line of code that can be copied. */
export function CodeLine({ code, what }: { readonly code: string; readonly what: string }) {
  return (
    <span className="code-line">
      <code>{code}</code>
      <Copy text={code} what={what} />
    </span>
  );
}
