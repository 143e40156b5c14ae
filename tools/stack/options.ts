import { parseArgs } from 'node:util';

export const HELP = `usage: npm start -- [OPTIONS]

Brings up the whole platform on this machine, plays its main story once, and stays up until Ctrl-C.

  --once              play the story and stop; exit code 0 only if every verdict was right and no order was lost,
                      doubled or stuck
  --no-story          only bring everything up
  --story=NAME        which story: release (the default)
  --keep-data         keep databases, queues and keys in .keelson/ and use them again
  --listen=ADDRESS    address of console and gateway (127.0.0.1); 0.0.0.0 for a container or a virtual machine
  --env-file=PATH     write every URL and credential there (mode 0600) once all is ready; without it, to a file that goes
                      with the platform
  --cluster=WHAT      sandbox (the default), real (etcd, kube-apiserver and controller manager built here; needs Go), or
                      the path of a kubeconfig
  --no-install        install nothing; say what is missing instead
  --help              this text

Instead of starting its own it uses AMQP_URL (RabbitMQ) and KEELSON_POSTGRES_URL (PostgreSQL, a role that may create
databases) where they are set.
`;

/** What `npm start` was asked for, checked. */
export interface StackOptions {
  readonly once: boolean;
  readonly story: 'release' | undefined;
  readonly keepData: boolean;
  readonly listen: string;
  readonly envFile: string | undefined;
  readonly cluster:
    { readonly kind: 'sandbox' } | { readonly kind: 'real' } | { readonly kind: 'kubeconfig'; readonly path: string };
  readonly allowInstall: boolean;
}

/** Wrong use of the command line; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads the command line; `help` where it asks for it. Throws {@link UsageError}. */
export function parseOptions(argv: readonly string[]): StackOptions | 'help' {
  const values = read(argv);
  if (values.help) return 'help';
  const story = values.story ?? 'release';
  if (story !== 'release') throw new UsageError(`--story is ${story}; allowed: release`);
  const noStory = values['no-story'] === true;
  if (noStory && values.once) throw new UsageError('--once plays the story and --no-story does not: choose one');
  const cluster = values.cluster ?? 'sandbox';
  return {
    once: values.once === true,
    story: noStory ? undefined : story,
    keepData: values['keep-data'] === true,
    listen: values.listen ?? '127.0.0.1',
    envFile: values['env-file'],
    cluster: cluster === 'sandbox' || cluster === 'real' ? { kind: cluster } : { kind: 'kubeconfig', path: cluster },
    allowInstall: values['no-install'] !== true,
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        'no-story': { type: 'boolean' },
        story: { type: 'string' },
        'keep-data': { type: 'boolean' },
        listen: { type: 'string' },
        'env-file': { type: 'string' },
        cluster: { type: 'string' },
        'no-install': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
