import type { FastifyInstance } from 'fastify';
import { registry } from '../observe/metrics.ts';

/** A check that rejects, with the reason, while the service cannot do its work. */
export type Probe = () => Promise<void>;
export type Probes = Readonly<Record<string, Probe>>;

/** A probe that takes longer than this counts as failed. */
const PROBE_LIMIT_MS = 2_000;

interface ProbeResult {
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly reason?: string;
}

/**
 * /healthz: the process answers (a restart would not help otherwise). /readyz: it can do its work; 503 names what is
 * missing. /metrics: Prometheus text.
 */
export function serveHealth(server: FastifyInstance, state: { probes: Probes; draining: boolean }): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const entries = await Promise.all(
      Object.entries(state.probes).map(async ([name, probe]) => [name, await run(probe)] as const),
    );
    const ok = !state.draining && entries.every(([, result]) => result.ok);
    reply.code(ok ? 200 : 503).header('cache-control', 'no-store');
    return { status: state.draining ? 'draining' : ok ? 'ready' : 'not-ready', checks: Object.fromEntries(entries) };
  });
  server.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType);
    return await registry.metrics();
  });
}

async function run(probe: Probe): Promise<ProbeResult> {
  const from = performance.now();
  const took = (): number => Math.round(performance.now() - from);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PROBE_LIMIT_MS} ms`)), PROBE_LIMIT_MS);
  });
  try {
    await Promise.race([probe(), limit]);
    return { ok: true, milliseconds: took() };
  } catch (error) {
    return { ok: false, milliseconds: took(), reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
