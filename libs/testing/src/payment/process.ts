import { join } from 'node:path';
import { type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import type { Payment } from './account.ts';
import type { PaymentBehaviour } from './provider.ts';

export interface PaymentProcess extends ManagedProcess {
  readonly url: string;
  readonly token: string;
  behave(behaviour: Partial<PaymentBehaviour>): Promise<void>;
  /** All it has in its books. */
  ledger(): Promise<Payment[]>;
}

/** Starts the payment provider as a process of its own; see PaymentProvider for what it does. */
export async function startPaymentProvider(
  options: { port?: number; file?: string; token?: string } = {},
): Promise<PaymentProcess> {
  const token = options.token ?? 'sk_demo_keelson';
  // Beside this file in the sources and in what is built.
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
  const started = await startProcess({
    name: 'payment provider',
    command: [
      process.execPath,
      ...(extension === 'ts' ? ['--conditions=keelson-source', '--disable-warning=ExperimentalWarning'] : []),
      join(import.meta.dirname, `main.${extension}`),
      ...(options.port === undefined ? [] : ['--port', String(options.port)]),
      ...(options.file === undefined ? [] : ['--file', options.file]),
    ],
    env: { PAYMENT_TOKEN: token, NODE_OPTIONS: undefined },
    ready: { line: /"ready":true/ },
  });
  const { url } = started;
  if (url === undefined)
    throw new Error(`the payment provider did not say where it listens: ${started.lastLines(3).join('\n')}`);
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`the payment provider answers ${response.status}: ${await response.text()}`);
    return (await response.json()) as { entries: Payment[]; next: number };
  };
  return {
    ...started,
    url,
    token,
    behave: async (behaviour: Partial<PaymentBehaviour>) => {
      await call('/behaviour', { method: 'PUT', body: JSON.stringify(behaviour) });
    },
    ledger: async () => {
      const all: Payment[] = [];
      for (;;) {
        const { entries, next } = await call(`/v1/ledger?after=${all.length}`);
        all.push(...entries);
        if (entries.length === 0 || next === undefined) return all;
      }
    },
  };
}
