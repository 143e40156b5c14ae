import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessLedger } from './containers/ledger.ts';
import { processInfo } from './containers/process-table.ts';

const PREFIX = 'keelson-node-';

/** The folder given, or a temporary one of this run, named after its process so that the next run can tell it is over. */
export function openStateDir(given: string | undefined): { path: string; temporary: boolean } {
  if (given !== undefined) {
    mkdirSync(given, { recursive: true });
    return { path: given, temporary: false };
  }
  sweep();
  const owner = `${process.pid}-${processInfo(process.pid)?.startTime}`;
  return { path: mkdtempSync(join(tmpdir(), `${PREFIX}${owner}-`)), temporary: true };
}

/** Removes the temporary folders of runs that were killed, and ends what they left running. */
function sweep(): void {
  for (const entry of readdirSync(tmpdir())) {
    const match = /^keelson-node-(\d+)-(\d+)-/.exec(entry);
    if (match === null || processInfo(Number(match[1]))?.startTime === match[2]) continue;
    const folder = join(tmpdir(), entry);
    try {
      new ProcessLedger(folder).endEarlier();
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // Somebody else's, or being swept by another node at this moment: theirs to finish.
      process.stderr.write(`sandbox node: cannot remove ${folder}: ${(error as Error).message}\n`);
    }
  }
}
