import { readFileSync } from 'node:fs';
import { descendants } from './descendants.ts';
import type { Supervised } from './supervised.ts';

/**
 * Resident memory of each service that runs on this machine, MiB: those beside the cluster, and the roles of order-demo,
 * whose pods are processes below this one.
 */
export function residentMemory(services: readonly Supervised[]): string {
  const pods = descendants(process.pid).flatMap(({ pid, command }) => {
    // The process itself, not the one that started it and has the same words on its command line.
    const role = /^\S*node\S* .*order-demo\/dist\/main\.js --role=(\w+)/.exec(command)?.[1];
    return role === undefined ? [] : [{ name: `order-demo ${role}`, pid }];
  });
  const figures = [...services, ...pods].map(({ name, pid }) => `${name} ${mebibytes(pid)}`);
  return `resident memory, MiB: ${figures.join(', ')}`;
}

function mebibytes(pid: number): string {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? '?' : String(Math.round(Number(kibibytes) / 1024));
  } catch {
    return '?'; // it ended just now
  }
}
