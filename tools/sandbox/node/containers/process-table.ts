import { readdirSync, readFileSync } from 'node:fs';

/** A process that exists: its group, and its start time in clock ticks since boot (a reused pid has another one). */
export type ProcessInfo = { pid: number; group: number; startTime: string; zombie: boolean };

/** From /proc/PID/stat; undefined when there is no such process. */
export function processInfo(pid: number): ProcessInfo | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // ENOENT, or ESRCH while it goes: either way it is not there.
    return undefined;
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    group: Number(fields[2]),
    startTime: fields[19] ?? '',
    zombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

/** All processes of a group, without zombies. */
export function membersOf(group: number): ProcessInfo[] {
  const members: ProcessInfo[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const info = processInfo(Number(entry));
    if (info !== undefined && info.group === group && !info.zombie) members.push(info);
  }
  return members;
}

/** One variable of a process's environment as it was at its start; undefined when it is not to be had. */
export function environmentOf(pid: number, name: string): string | undefined {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    // Gone, or not ours to look at.
    return undefined;
  }
}

/** Sends a signal to a process group; false when there is none any more. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
