import { PartError } from '../processes/part-error.ts';
import { nx } from './nx.ts';

export interface BuildOptions {
  /** What Nx builds: `--projects=...`, `--exclude=...`; everything if not given. */
  only?: readonly string[];
  signal?: AbortSignal;
}

/**
 * Builds what is started as a process; what is up to date comes from Nx's cache. Nx empties each dist before it fills
 * it again, from the cache too: nothing may be started from there meanwhile.
 *
 * @throws PartError with the last lines of the build, or the reason of the signal.
 */
export async function buildProjects(root: string, { only = [], signal }: BuildOptions = {}): Promise<void> {
  const { code, output } = await nx(root, ['run-many', '-t', 'build', '--output-style=stream', ...only], {
    quiet: true,
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  if (code !== 0)
    throw new PartError('build', `nx ended with exit code ${code}`, {
      lines: output.split('\n').slice(-40),
      remedy: 'npm run build shows all of it',
    });
}
