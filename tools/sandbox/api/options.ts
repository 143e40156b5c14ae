import { parseArgs } from 'node:util';

import { parseDuration } from './duration.ts';

export interface ApiOptions {
  /** Where the administrator's kubeconfig is written. */
  kubeconfigOut: string;
  host: string;
  /** 0: any free one. */
  port: number;
  eventTtlMs: number;
  bookmarkMs: number;
  /** Changes kept of each resource. */
  window: number;
}

export const usage = `usage: node --conditions=keelson-source tools/sandbox/api/main.ts --kubeconfig-out FILE [OPTIONS]

A Kubernetes API in memory, for demonstrations and tests; never for production. See tools/sandbox/README.md.

  --kubeconfig-out FILE    written when the server answers, mode 0600 (required)
  --host ADDRESS           where to listen (127.0.0.1)
  --port N                 0 chooses a free one (0)
  --event-ttl DUR          how long Events are kept (1h)
  --bookmark-interval DUR  how often watches get a bookmark (10s)
  --watch-window N         changes kept per resource for watches that resume (2000)
  --help                   this text
`;

/** Reads the command line. Throws an Error that names the option, its value and what is allowed. */
export function parseOptions(argv: string[]): ApiOptions | 'help' {
  const { values } = parseArgs({
    args: argv,
    strict: true,
    options: {
      'kubeconfig-out': { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      'event-ttl': { type: 'string', default: '1h' },
      'bookmark-interval': { type: 'string', default: '10s' },
      'watch-window': { type: 'string', default: '2000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const kubeconfigOut = values['kubeconfig-out'];
  if (!kubeconfigOut) throw new Error('--kubeconfig-out is missing; it names the file for the administrator’s access');
  return {
    kubeconfigOut,
    host: values.host,
    port: whole('--port', values.port, 0, 65_535),
    eventTtlMs: duration('--event-ttl', values['event-ttl']),
    bookmarkMs: duration('--bookmark-interval', values['bookmark-interval']),
    window: whole('--watch-window', values['watch-window'], 1, Number.MAX_SAFE_INTEGER),
  };
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const allowed = most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `${least} to ${most}`;
  throw new Error(`${option} is "${text}"; allowed is ${allowed}`);
}

function duration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0)
    throw new Error(`${option} is "${text}"; allowed is a duration above zero such as 500ms, 10s or 1h30m`);
  return ms;
}
