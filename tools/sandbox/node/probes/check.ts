import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { ContainerPort, Handler } from '../kubernetes-objects.ts';
import { toLoopback } from '../network/addresses.ts';

/** `detail` is worded as kubelet words it, because it becomes the text of the Unhealthy event. */
export type CheckResult = { ok: true; detail: string } | { ok: false; detail: string };

export type CheckTarget = {
  /** The pod's address in the API, 10.R.x.y. */
  podIp: string;
  ports: readonly ContainerPort[];
  environment: Record<string, string>;
  cwd: string;
};

/** Runs one probe (or preStop) handler once. Never throws: what goes wrong is a failure with its reason. */
export async function check(handler: Handler, target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  if (handler.httpGet) return checkHttp(handler.httpGet, target, timeoutMs);
  if (handler.tcpSocket) {
    const port = portOf(handler.tcpSocket.port, target.ports);
    if (port === undefined) return unknownPort(handler.tcpSocket.port);
    return checkTcp(handler.tcpSocket.host ?? target.podIp, port, timeoutMs);
  }
  if (handler.exec) return checkExec(handler.exec.command ?? [], target, timeoutMs);
  const kind = Object.keys(handler).find((key) => key === 'grpc') ?? 'no handler';
  return { ok: false, detail: `${kind} is not supported by the sandbox's node; use httpGet, tcpSocket or exec` };
}

const unknownPort = (port: number | string): CheckResult => ({ ok: false, detail: `couldn't find port: ${port}` });

/** A port by number or by its name among the container's ports. */
export function portOf(port: number | string, ports: readonly ContainerPort[]): number | undefined {
  if (typeof port === 'number') return port;
  const named = ports.find((candidate) => candidate.name === port)?.containerPort;
  if (named !== undefined) return named;
  return /^\d+$/.test(port) ? Number(port) : undefined;
}

function checkHttp(
  action: NonNullable<Handler['httpGet']>,
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckResult> {
  const port = portOf(action.port, target.ports);
  if (port === undefined) return Promise.resolve(unknownPort(action.port));
  const host = action.host ?? target.podIp;
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = (action.path ?? '/').replace(/^(?!\/)/, '/');
  const url = `${scheme}://${host}:${port}${path}`;
  const headers: Record<string, string> = { host: `${host}:${port}`, 'user-agent': 'kube-probe/1.34', accept: '*/*' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const options = {
      host: toLoopback(host),
      port,
      path,
      headers,
      // A connection of its own each time: a probe must see whether the process still accepts.
      agent: false,
      rejectUnauthorized: false,
    };
    const request = scheme === 'https' ? https.get(options) : http.get(options);
    const timer = setTimeout(() => {
      settle({
        ok: false,
        detail: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      });
    }, timeoutMs);
    const settle = (result: CheckResult): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(result);
    };
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const ok = status >= 200 && status < 400;
      settle({ ok, detail: ok ? String(status) : `HTTP probe failed with statuscode: ${status}` });
    });
    request.on('error', (error) => {
      settle({ ok: false, detail: `Get "${url}": ${goWording(error, host, port)}` });
    });
  });
}

function checkTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: toLoopback(host), port });
    const timer = setTimeout(() => {
      settle({ ok: false, detail: `dial tcp ${host}:${port}: i/o timeout` });
    }, timeoutMs);
    const settle = (result: CheckResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => {
      settle({ ok: true, detail: '' });
    });
    socket.on('error', (error) => {
      settle({ ok: false, detail: goWording(error, host, port) });
    });
  });
}

/** Runs a command with the container's environment; exit code 0 is success. The whole process group ends with it. */
export function checkExec(command: readonly string[], target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  const [file, ...args] = command;
  if (file === undefined) return Promise.resolve({ ok: false, detail: 'exec.command is empty' });
  return new Promise((resolve) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], {
      env: target.environment,
      cwd: target.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      // kubelet keeps 10 KiB of a probe's output.
      if (output.length < 10_240) output += chunk.toString('utf8').slice(0, 10_240 - output.length);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, detail: error.message });
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      endGroup(child.pid);
      if (timedOut)
        resolve({
          ok: false,
          detail: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`,
        });
      else if (code === 0) resolve({ ok: true, detail: output.trim() });
      else resolve({ ok: false, detail: output });
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Node's error in the words of Go's net package, which people and rules know from kubelet's events. */
function goWording(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${host}:${port}: connect: connection refused`;
    case 'ECONNRESET':
      return 'EOF';
    default:
      return error.message;
  }
}
