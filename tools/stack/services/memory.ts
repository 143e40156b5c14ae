import { readFileSync } from 'node:fs';
import type { Supervised } from './supervised.ts';

/** Resident memory of each service, MiB, as lines for the terminal. */
export function residentMemory(services: readonly Supervised[]): string[] {
  const figures = services.map((service) => `${service.name} ${mebibytes(service.pid)} MiB`);
  return [`resident memory: ${figures.join(', ')}`];
}

function mebibytes(pid: number): string {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? '?' : String(Math.round(Number(kibibytes) / 1024));
  } catch {
    return '?'; // it ended just now
  }
}
