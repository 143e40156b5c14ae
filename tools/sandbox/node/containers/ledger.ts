import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentOf, membersOf, processInfo, signalGroup } from './process-table.ts';

/** Every container's process carries its pod's uid here, so that a reused pid is never taken for it. */
export const POD_UID_VARIABLE = 'SANDBOX_POD_UID';

/**
 * The list of running processes on disk: `processes/PID` with the pod's uid and the start time. A node that was killed
 * leaves it behind; the next one ends what is still there before it runs anything, so no container ever runs twice.
 */
export class ProcessLedger {
  readonly #folder: string;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, 'processes');
    mkdirSync(this.#folder, { recursive: true });
  }

  add(pid: number, podUid: string): void {
    writeFileSync(join(this.#folder, String(pid)), `${podUid} ${processInfo(pid)?.startTime ?? ''}\n`);
  }

  remove(pid: number): void {
    rmSync(join(this.#folder, String(pid)), { force: true });
  }

  /**
   * Ends the process groups of an earlier run with SIGKILL and returns how many there were. Their leaders have most
   * likely died with the node (parent-death signal); what they started themselves may not have.
   */
  endEarlier(): number {
    let ended = 0;
    for (const entry of readdirSync(this.#folder)) {
      const pid = Number(entry);
      const [podUid, startTime] = readFileSync(join(this.#folder, entry), 'utf8').trim().split(' ');
      const leader = processInfo(pid);
      const leaderIsOurs = leader !== undefined && leader.startTime === startTime && !leader.zombie;
      const ours = leaderIsOurs || membersOf(pid).some((m) => environmentOf(m.pid, POD_UID_VARIABLE) === podUid);
      if (ours && signalGroup(pid, 'SIGKILL')) ended += 1;
      this.remove(pid);
    }
    return ended;
  }
}
