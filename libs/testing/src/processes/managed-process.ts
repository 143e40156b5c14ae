import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { ownerVariable } from '../folders/private-folder.ts';
import { ownIdentity } from './identity.ts';
import { PartError } from './part-error.ts';

export interface ProcessOptions {
  /** How messages call it: "PostgreSQL", "cert-service". */
  name: string;
  command: string[];
  /** Added to this process's environment; an undefined value removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** When it counts as started: a line of its output, a URL that answers below 400, a file that appears. */
  ready?: { line?: RegExp; url?: string; file?: string; probe?: () => Promise<boolean> };
  /** How long it may take until it is ready, in milliseconds. Default 90,000: two cores may have much else to do. */
  timeoutMs?: number;
  onLine?: (line: string) => void;
  /** Sent by the kernel when this process dies, however it dies. Default KILL. */
  deathSignal?: 'KILL' | 'TERM' | 'INT';
  /** Put in front of the command, before the wrapper that binds its life to ours. */
  enter?: readonly string[];
  /** What to do when it does not start. */
  remedy?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  /** From the ready line or file: the value of `url` where that is JSON, or the group `url` of the pattern. */
  readonly url: string | undefined;
  readonly exited: Promise<Exit>;
  /** Whether it has not ended yet. */
  running(): boolean;
  /** The last lines it wrote, stdout and stderr as they came. */
  lastLines(count?: number): string[];
  kill(signal: NodeJS.Signals): void;
  /** Sends SIGTERM, and SIGKILL after `graceMs` (default 5,000; 0 kills at once); ends what is left of its group. */
  stop(graceMs?: number, signal?: NodeJS.Signals): Promise<Exit>;
}

const keptLines = 400;

/**
 * Starts a program in a process group of its own and waits until it is ready. It dies with this process, even when
 * that is killed: `setpriv --pdeathsig` asks the kernel for it. Throws PartError with the last 20 lines and the
 * cause when it ends or stays silent instead.
 */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, command, ready, timeoutMs = 90_000, deathSignal = 'KILL' } = options;
  const environment = { ...process.env, ...options.env, [ownerVariable]: ownIdentity() };
  const argv = [...(options.enter ?? []), 'setpriv', '--pdeathsig', deathSignal, '--', ...command];
  const child = spawn(argv[0] as string, argv.slice(1), {
    cwd: options.cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal reaches the starter alone, which then stops its parts in order.
    detached: true,
  });
  const lines: string[] = [];
  let readyLine: RegExpExecArray | undefined;
  let lineSeen = '';
  const onLine = (line: string): void => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    const match = readyLine === undefined ? ready?.line?.exec(line) : undefined;
    if (match) [readyLine, lineSeen] = [match, line];
    options.onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
  }
  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // 'close' comes after 'exit' once the output was read to its end; a grandchild that holds the pipe may delay it.
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      const wait = setTimeout(() => resolve({ code, signal }), 200);
      child.once('close', () => {
        clearTimeout(wait);
        resolve({ code, signal });
      });
    });
  });
  let url: string | undefined;
  const managed: ManagedProcess = {
    name,
    pid: child.pid ?? -1,
    get url() {
      return url;
    },
    exited,
    running: () => ended === undefined,
    lastLines: (count = 20) => lines.slice(-count),
    kill: (signal) => void child.kill(signal),
    stop: (graceMs = 5_000, signal = 'SIGTERM') => stop(child, exited, () => ended, graceMs, signal),
  };
  const failed = (reason: string, cause?: unknown): PartError =>
    new PartError(name, reason, { lines, cause, ...(options.remedy === undefined ? {} : { remedy: options.remedy }) });

  const started = performance.now();
  try {
    while (child.pid === undefined) await exited; // rejects with the reason of a failed spawn
  } catch (error) {
    throw failed(`cannot be run: ${(error as Error).message}`, error);
  }
  exited.catch(() => undefined); // a later 'error' (a signal that could not be sent) ends nothing
  for (;;) {
    const answer = await isReady(ready, () => (readyLine ? { line: lineSeen, match: readyLine } : undefined));
    if (answer) {
      url = answer.url ?? ready?.url;
      return managed;
    }
    if (ended !== undefined) {
      await exited;
      if (!ready) return managed;
      throw failed(`ended with ${describeExit(ended)} before it was ready`);
    }
    if (performance.now() - started > timeoutMs) {
      await managed.stop(0);
      throw failed(`was not ready within ${timeoutMs / 1_000} s`);
    }
    await pause(20);
  }
}

/** "exit code 1" or "signal SIGKILL". */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

type Ready = { url?: string | undefined };

async function isReady(
  ready: ProcessOptions['ready'],
  line: () => { line: string; match: RegExpExecArray } | undefined,
): Promise<Ready | undefined> {
  if (!ready) return {};
  let answer: Ready = {};
  if (ready.line) {
    const seen = line();
    if (!seen) return undefined;
    answer = { url: seen.match.groups?.['url'] ?? urlIn(seen.line) };
  }
  if (ready.file !== undefined) {
    if (!existsSync(ready.file)) return undefined;
    const text = readFileSync(ready.file, 'utf8');
    if (text.trim() === '') return undefined; // created, not yet written
    answer = { url: answer.url ?? urlIn(text) };
  }
  if (ready.url !== undefined && !(await answers(ready.url))) return undefined;
  if (ready.probe && !(await ready.probe().catch(() => false))) return undefined; // not listening yet
  return answer;
}

function urlIn(text: string): string | undefined {
  try {
    const value = JSON.parse(text) as { url?: unknown };
    return typeof value.url === 'string' ? value.url : undefined;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000), redirect: 'manual' });
    await response.body?.cancel();
    return response.status < 400;
  } catch {
    return false; // refused: not listening yet
  }
}

async function stop(
  child: ChildProcess,
  exited: Promise<Exit>,
  ended: () => Exit | undefined,
  graceMs: number,
  signal: NodeJS.Signals,
): Promise<Exit> {
  if (ended() === undefined && graceMs > 0) {
    child.kill(signal);
    const timer = new AbortController();
    await Promise.race([
      exited.finally(() => timer.abort()),
      pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined), // aborted: it has ended
    ]);
  }
  endGroup(child.pid);
  return exited;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No one is left in the group.
  }
}
