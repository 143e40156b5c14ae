import { relative } from './relative.ts';
import { useNow } from './use-now.ts';

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** The instant in the viewer's zone and in UTC. */
const titleOf = (at: Date): string => `${absolute.format(at)} (${at.toISOString()})`;

/** An instant as its distance from now; the instant itself is its title. */
export function Time({ at }: { readonly at: string | number }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={titleOf(date)}>
      {relative(date.getTime(), useNow())}
    </time>
  );
}

/** An instant as time of day, with seconds; the day is in its title. */
export function Clock({ at }: { readonly at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={titleOf(date)} className="clock">
      {clock.format(date)}
    </time>
  );
}

/** An instant in full, with its distance from now behind it. */
export function Instant({ at }: { readonly at: string }) {
  const date = new Date(at);
  return (
    <>
      <time dateTime={date.toISOString()} title={date.toISOString()}>
        {absolute.format(date)}
      </time>{' '}
      <span className="quiet">({relative(date.getTime(), useNow())})</span>
    </>
  );
}
