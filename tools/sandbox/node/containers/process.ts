import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { constants as os } from 'node:os';
import { signalGroup } from './process-table.ts';
import type { ContainerLog } from '../logs/container-log.ts';

export type ProcessEnd = { exitCode: number; signal?: number };

/** The command cannot be run at all: kubelet's reason RunContainerError. */
export class CannotStartError extends Error {}

/**
 * A container's process: leader of a session and process group of its own, so that everything it starts can be
 * signalled together; killed by the kernel when the node dies (setpriv --pdeathsig), whatever the node dies of.
 */
export class ContainerProcess {
  readonly pid: number;
  /** Settles once the process has ended and the rest of its group is gone. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #over = false;

  constructor(options: {
    command: readonly string[];
    environment: Record<string, string>;
    cwd: string;
    log: ContainerLog;
  }) {
    const [file = '', ...args] = options.command;
    const executable = findExecutable(file, options.environment['PATH'] ?? '', options.cwd);
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', executable, ...args], {
      env: options.environment,
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = this.#child;
    if (pid === undefined) {
      // The reason comes later as an 'error' event; what can go wrong here is setpriv itself missing.
      this.#child.on('error', () => undefined);
      throw new CannotStartError('cannot run setpriv (Debian package util-linux), which ties a process to the node');
    }
    this.pid = pid;
    options.log.attach(this.#child.stdout, 'stdout');
    options.log.attach(this.#child.stderr, 'stderr');
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        this.#over = true;
        // As the end of process 1 ends a container: nothing of the group stays.
        signalGroup(this.pid, 'SIGKILL');
        const number = signal === null ? undefined : os.signals[signal];
        resolve(number === undefined ? { exitCode: code ?? 0 } : { exitCode: 128 + number, signal: number });
      });
    });
  }

  /** SIGTERM, for the container's first process alone, as a container runtime sends it. */
  terminate(): void {
    if (!this.#over) this.#child.kill('SIGTERM');
  }

  /** SIGKILL, for the whole group. */
  kill(): void {
    if (!this.#over) signalGroup(this.pid, 'SIGKILL');
  }
}

/** The file that a shell would run; throws with the runtime's wording when there is none. */
export function findExecutable(file: string, path: string, cwd: string): string {
  if (file === '') throw new CannotStartError('the command is empty');
  if (file.includes('/')) {
    const full = file.startsWith('/') ? file : join(cwd, file);
    if (!isExecutable(full)) throw new CannotStartError(`exec: "${file}": stat ${file}: no such file or directory`);
    return full;
  }
  for (const folder of path.split(':')) {
    const candidate = join(folder === '' ? '.' : folder, file);
    if (isExecutable(candidate)) return candidate;
  }
  throw new CannotStartError(`exec: "${file}": executable file not found in $PATH`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Not there, not executable or not reachable: for this question all the same.
    return false;
  }
}
