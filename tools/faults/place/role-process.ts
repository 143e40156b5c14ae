import { describeExit, startProcess, type ManagedProcess, type TcpProxy } from '@keelson/testing';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from '../schedule/kinds.ts';

export interface RoleProcessOptions {
  readonly name: Instance;
  readonly root: string;
  /** For its ready file. */
  readonly folder: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Its own way to the database and to the broker. */
  readonly database: TcpProxy;
  readonly broker: TcpProxy;
  readonly logs: string | undefined;
  readonly say: (text: string) => void;
}

/**
 * One role of order-demo as a process of its own, always on the same port. What a fault ends stays down until the fault
 * starts it again; what ends by itself is a surprise, and is started again as Kubernetes would.
 */
export class RoleProcess {
  readonly name: Instance;
  readonly database: TcpProxy;
  readonly broker: TcpProxy;
  /** What no fault explains. */
  readonly surprises: string[] = [];
  readonly #options: RoleProcessOptions;
  #process: ManagedProcess | undefined;
  #wanted = false;

  constructor(options: RoleProcessOptions) {
    this.name = options.name;
    this.database = options.database;
    this.broker = options.broker;
    this.#options = options;
  }

  get role(): string {
    return this.name.split('-')[0]!;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  /** Starts it and resolves when it listens. Its database may be away at that moment: then it is tried again. */
  async start(): Promise<void> {
    this.#wanted = true;
    while (this.#wanted && this.#process?.running() !== true) {
      try {
        this.#process = await this.#launch();
      } catch (error) {
        if (!this.#wanted) return;
        this.#options.say(`${this.name} did not start: ${(error as Error).message.split('\n')[0]}; once more`);
      }
    }
  }

  async #launch(): Promise<ManagedProcess> {
    const { name, root, folder, port, env, logs } = this.#options;
    const ready = join(folder, `${name}.ready`);
    rmSync(ready, { force: true });
    const started = await startProcess({
      name,
      command: [
        join(root, 'node_modules/.bin/node'),
        '--enable-source-maps',
        join(root, 'apps/order-demo/dist/main.js'),
        `--role=${this.role}`,
      ],
      env: { ...env, HOST: '127.0.0.1', PORT: String(port), READY_FILE: ready, NODE_OPTIONS: undefined },
      ready: { file: ready },
      ...(logs === undefined ? {} : { onLine: (line) => appendFileSync(join(logs, `${name}.log`), `${line}\n`) }),
    });
    void this.#watch(started);
    return started;
  }

  async #watch(started: ManagedProcess): Promise<void> {
    const exit = await started.exited;
    if (!this.#wanted || this.#process !== started) return;
    const surprise = `${this.name} ended by itself with ${describeExit(exit)}: ${started.lastLines(3).join(' | ')}`;
    this.surprises.push(surprise);
    this.#options.say(surprise);
    await this.start();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#endWith((running) => running.kill('SIGKILL'));
  }

  /** SIGTERM, as Kubernetes does it: 30 s, then SIGKILL. */
  async end(): Promise<void> {
    await this.#endWith((running) => void running.stop(30_000));
  }

  async #endWith(end: (running: ManagedProcess) => void): Promise<void> {
    this.#wanted = false;
    const running = this.#process;
    if (!running?.running()) return;
    end(running);
    await running.exited;
  }

  /** SIGSTOP: it neither works nor answers, and keeps what it holds. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false; // not listening: it is being started
    }
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#process?.stop(0);
    await Promise.all([this.database.close(), this.broker.close()]);
  }
}
