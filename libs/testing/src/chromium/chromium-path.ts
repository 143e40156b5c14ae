import { ensurePart } from '../packages/ensure-part.ts';
import { onPath } from '../packages/parts.ts';
import { PartError } from '../processes/part-error.ts';

/** The path of Debian's Chromium, for playwright-core's `executablePath`; installed if it may be and is not there. */
export async function chromiumPath(options: { report?: (line: string) => void } = {}): Promise<string> {
  await ensurePart('chromium', options);
  const path = onPath('chromium');
  if (path === undefined) throw new PartError('Chromium', 'it is not on the PATH');
  return path;
}
