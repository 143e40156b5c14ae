import { type ReactNode, useEffect, useId, useState } from 'react';
import { useQuery } from '../routing/location.ts';

/** Filters of a list; they live in the address, so that a link keeps them. */
export function Filters({ what, children }: { readonly what: string; readonly children: ReactNode }) {
  return (
    <form className="filters" role="search" aria-label={`Filter ${what}`} onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}

/** Filters that are seldom wanted; open where one of them is set. */
export function MoreFilters({ names, children }: { readonly names: readonly string[]; readonly children: ReactNode }) {
  const [query] = useQuery();
  const set = names.filter((name) => (query[name] ?? '') !== '').length;
  return (
    <details className="more-filters" open={set > 0}>
      <summary>
        More filters <span className="quiet">{set === 0 ? '' : `(${set} set)`}</span>
      </summary>
      <div className="more-filters-fields">{children}</div>
    </details>
  );
}

interface FilterProps {
  /** In the address. */
  readonly name: string;
  readonly label: string;
}

/** Typing may go on for this long before the list follows. */
const TYPING_MS = 300;

export function TextFilter({ name, label, placeholder }: FilterProps & { readonly placeholder?: string }) {
  const [query, change] = useQuery();
  const set = query[name] ?? '';
  const [text, setText] = useState(set);
  const field = useId();
  // The address may change by itself: the back button, a link to the same page.
  useEffect(() => setText((typed) => (typed.trim() === set ? typed : set)), [set]);
  useEffect(() => {
    if (text.trim() === set) return undefined;
    const timer = setTimeout(() => change({ [name]: text.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, set, name, change]);
  return (
    <p className="field">
      <label htmlFor={field}>{label}</label>
      <input
        id={field}
        type="search"
        value={text}
        placeholder={placeholder}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
    </p>
  );
}

interface SelectProps extends FilterProps {
  readonly options: readonly (string | { readonly value: string; readonly text: string })[];
  /** What it says where nothing is chosen. */
  readonly any?: string;
}

export function SelectFilter({ name, label, options, any = 'any' }: SelectProps) {
  const [query, change] = useQuery();
  const field = useId();
  return (
    <p className="field">
      <label htmlFor={field}>{label}</label>
      <select id={field} value={query[name] ?? ''} onChange={(event) => change({ [name]: event.target.value })}>
        <option value="">{any}</option>
        {options.map((option) => {
          const { value, text } = typeof option === 'string' ? { value: option, text: option } : option;
          return (
            <option key={value} value={value}>
              {text}
            </option>
          );
        })}
      </select>
    </p>
  );
}

interface SwitchProps extends FilterProps {
  /** What the address says where it is on, and where it is off; undefined where it says nothing. */
  readonly on: string | undefined;
  readonly off: string | undefined;
}

export function SwitchFilter({ name, label, on, off }: SwitchProps) {
  const [query, change] = useQuery();
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={query[name] === on}
        onChange={(event) => change({ [name]: event.target.checked ? on : off })}
      />
      {label}
    </label>
  );
}
