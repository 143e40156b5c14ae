import type { ReactNode } from 'react';
import { Show } from '../parts/reading.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../routing/link.tsx';
import type { Part } from './readings.ts';

interface CardProps<T> {
  readonly title: string;
  readonly to: string;
  readonly link: string;
  readonly part: Part<T>;
  readonly children: (data: T) => ReactNode;
}

/** A part of the platform on home: how it stands, and the way to its page. */
export function Card<T>({ title, to, link, part, children }: CardProps<T>) {
  return (
    <section className="card" aria-label={title}>
      <div className="card-head">
        <h2>{title}</h2>
        <Link to={to} className="onward">
          {link}
          <Icon name="chevron" />
        </Link>
      </div>
      {part.permission.allowed ? (
        <Show reading={part} what={title}>
          {children}
        </Show>
      ) : (
        <p className="quiet">{part.permission.reason}</p>
      )}
    </section>
  );
}
