/** Which parked messages are meant; as the address, the API and the command line have it. */
export interface ParkedFilter {
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly text?: string | undefined;
  readonly key?: string | undefined;
}

const NAMES = ['code', 'type', 'text', 'key'] as const;

export const filterOf = (query: Readonly<Record<string, string | undefined>>): ParkedFilter =>
  Object.fromEntries(NAMES.flatMap((name) => ((query[name] ?? '') === '' ? [] : [[name, query[name]]])));

/** `keelson messages VERB QUEUE` with the filter as options. */
export const commandLine = (verb: string, queue: string, filter: ParkedFilter): string =>
  [
    `keelson messages ${verb} ${queue}`,
    ...NAMES.flatMap((name) => (filter[name] === undefined ? [] : [`--${name} ${quoted(filter[name])}`])),
  ].join(' ');

const quoted = (text: string): string => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
