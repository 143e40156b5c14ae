/** Paths on a 20 by 20 grid, drawn with a stroke of 1.6. */
const PATHS = {
  home: 'M3 9.2 10 3.5l7 5.7M5 8v8.5h10V8M8.5 16.5v-4.5h3v4.5',
  canary: 'M3 15.5c4.5 0 5-11 14-11M3 15.5h4M13.5 2.5l3.5 2-2.5 3.2M11 15.5h6',
  events: 'M3 5h14M3 10h9M3 15h11M16 10h1',
  orders: 'M3.5 6.5 10 3l6.5 3.5v7L10 17l-6.5-3.5zM3.5 6.5 10 10l6.5-3.5M10 10v7',
  certificate:
    'M10 2.8l2 1.6 2.5-.2.7 2.4 2 1.5-.9 2.4.9 2.3-2 1.5-.7 2.4-2.5-.2-2 1.6-2-1.6-2.5.2-.7-2.4-2-1.5.9-2.3-.9-2.4 2-1.5.7-2.4 2.5.2zM7.3 10l1.9 1.9 3.5-3.8',
  good: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M6.8 10.2l2.2 2.2 4.3-4.6',
  warn: 'M10 3 18 16.8H2zM10 8v4M10 14.3v.2',
  bad: 'M6.9 2.5h6.2l4.4 4.4v6.2l-4.4 4.4H6.9l-4.4-4.4V6.9zM10 6.2v4.6M10 13.5v.2',
  info: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 9.2v4.3M10 6.4v.2',
  idle: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M6.8 10h6.4',
  pause: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M8.2 7.2v5.6M11.8 7.2v5.6',
  running: 'M10 2.5a7.5 7.5 0 1 1-7.5 7.5M10 6v4l2.6 1.8',
  back: 'M7.5 4.5 3 9l4.5 4.5M3.5 9H13a4 4 0 0 1 4 4v2.5',
  copy: 'M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5z',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5',
  auto: 'M10 2.5a7.5 7.5 0 1 0 0 15zM10 2.5a7.5 7.5 0 0 1 0 15',
  out: 'M8 3.5H3.5v13H8M12.5 6.5 16 10l-3.5 3.5M16 10H7.5',
  messages: 'M2.5 4.5h15v9h-8l-4 3v-3h-3zM6 7.8h8M6 10.4h5',
  terminal: 'M2.5 4h15v12h-15zM5.5 8l2.5 2-2.5 2M10 12.3h4',
  chevron: 'M7.5 4.5 13 10l-5.5 5.5',
  close: 'M5 5l10 10M15 5 5 15',
  download: 'M10 3v9M6 8.5l4 4 4-4M3.5 16.5h13',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside words; it says nothing that the words do not say. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
