import { traceHeaders } from '@keelson/service-kit/plain';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { SERVICE_KEYS, type ServiceKey, SERVICES } from '../services.ts';
import type { PlatformStatus, ServiceStatus } from '../status.ts';
import { whyNoAnswer } from './no-answer.ts';

/** What /readyz of our services answers, with 200 as with 503. */
const readinessSchema = z.object({
  status: z.enum(['ready', 'not-ready', 'draining']),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() })).default({}),
});

/** Longer than a probe of the service itself may take. */
const LOOK_LIMIT_MS = 3_000;
/** Everybody who asks within this time gets the same look. */
const KEEP_MS = 1_000;

/** Reads the state of the four services; many visitors cause one look a second. */
export class StatusReader {
  readonly #addresses: Readonly<Record<ServiceKey, string>>;
  readonly #dispatcher: Dispatcher;
  readonly #monotonic: () => number;
  #latest: { at: number; status: Promise<PlatformStatus> } | undefined;

  /** `monotonic`: milliseconds of a clock that never goes back. */
  constructor(
    addresses: Readonly<Record<ServiceKey, string>>,
    dispatcher: Dispatcher,
    monotonic = () => performance.now(),
  ) {
    this.#addresses = addresses;
    this.#dispatcher = dispatcher;
    this.#monotonic = monotonic;
  }

  read(): Promise<PlatformStatus> {
    const now = this.#monotonic();
    if (this.#latest === undefined || now - this.#latest.at >= KEEP_MS)
      this.#latest = { at: now, status: this.#look() };
    return this.#latest.status;
  }

  async #look(): Promise<PlatformStatus> {
    const services = await Promise.all(SERVICE_KEYS.map((key) => this.#lookAt(key)));
    return { readAt: new Date().toISOString(), services };
  }

  async #lookAt(key: ServiceKey): Promise<ServiceStatus> {
    const { service } = SERVICES[key];
    const started = performance.now();
    try {
      const answer = await request(`${this.#addresses[key].replace(/\/+$/, '')}/readyz`, {
        dispatcher: this.#dispatcher,
        headers: { accept: 'application/json', ...traceHeaders() },
        signal: AbortSignal.timeout(LOOK_LIMIT_MS),
      });
      const body: unknown = await answer.body.json().catch(() => undefined);
      const milliseconds = Math.round(performance.now() - started);
      const parsed = readinessSchema.safeParse(body);
      // A gateway in front answers by itself where the service behind it is away.
      if (!parsed.success) {
        const reason = `its /readyz answered ${answer.statusCode} and not what a Keelson service answers`;
        return { key, service, state: 'unreachable', milliseconds, reason, checks: [] };
      }
      return { key, service, milliseconds, ...stateOf(parsed.data) };
    } catch (error) {
      return { key, service, state: 'unreachable', reason: whyNoAnswer(error, LOOK_LIMIT_MS), checks: [] };
    }
  }
}

function stateOf({
  status,
  checks,
}: z.infer<typeof readinessSchema>): Pick<ServiceStatus, 'state' | 'reason' | 'checks'> {
  const rows = Object.entries(checks).map(([name, { ok, reason }]) => ({ name, ok, reason }));
  const failed = rows.filter(({ ok }) => !ok);
  const reason =
    status === 'draining'
      ? 'it is shutting down'
      : failed.map(({ name, reason }) => (reason === undefined ? name : `${name}: ${reason}`)).join('; ');
  return { state: status, ...(reason === '' ? {} : { reason: status === 'ready' ? undefined : reason }), checks: rows };
}
