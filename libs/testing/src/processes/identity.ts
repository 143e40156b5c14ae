import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Who a process is, beyond its number, which the kernel gives to another one day: `<pid namespace>-<pid>-<start>`,
 * the start in clock ticks since the machine came up (field 22 of /proc/PID/stat, proc(5)).
 */
export type Identity = string;

/** The identity of the process `pid`, or undefined where there is none (a zombie is none: it only waits to be read). */
export function identityOf(pid: number): Identity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // gone
  }
  // The command's name stands in brackets and may itself hold brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return `${pidNamespace()}-${pid}-${fields[19]}`;
}

/** This process. */
export function ownIdentity(): Identity {
  const identity = identityOf(process.pid);
  if (identity === undefined)
    throw new Error('/proc is not mounted: Keelson needs it to find what dead runs left behind');
  return identity;
}

/**
 * Whether the process is certainly dead. One of another PID namespace (a container that shares our /tmp) cannot be
 * seen from here, so it is not called dead.
 */
export function isDead(identity: Identity): boolean {
  const [namespace, pid] = identity.split('-');
  return namespace === pidNamespace() && identityOf(Number(pid)) !== identity;
}

let namespace: string | undefined;

function pidNamespace(): string {
  namespace ??= /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  return namespace;
}
