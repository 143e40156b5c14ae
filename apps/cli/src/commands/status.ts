import type { Command } from 'commander';
import type { Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { SERVICES, type ServiceName, type Settings } from '../settings.ts';

interface ServiceStatus {
  service: ServiceName;
  state: 'ready' | 'not ready' | 'unreachable' | 'not configured';
  url: string;
  milliseconds: number | undefined;
  detail: string;
}

/** `keelson status`: whether each service answers and is ready; exit code 1 where one is not. */
export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('whether each service answers and is ready')
    .action(
      run(async ({ settings, print }) => {
        const rows = await Promise.all(
          (Object.keys(SERVICES) as ServiceName[]).map((name) => statusOf(settings, name)),
        );
        print.rows(rows, {
          columns: [
            { title: 'service', value: (row) => row.service },
            { title: 'state', value: (row) => row.state },
            { title: 'time', value: (row) => (row.milliseconds === undefined ? '-' : `${row.milliseconds}ms`) },
            { title: 'url', value: (row) => row.url },
            { title: 'detail', value: (row) => row.detail },
          ],
          name: (row) => row.service,
          empty: 'no services',
        });
        const bad = rows.filter((row) => row.state !== 'ready');
        if (bad.length > 0)
          throw new Failure(
            `${bad.length} of ${rows.length} services are not ready: ${bad.map((row) => row.service).join(', ')}`,
            EXIT.failedCheck,
          );
      }),
    );
}

async function statusOf(settings: Settings, service: ServiceName): Promise<ServiceStatus> {
  if (!settings.has(service)) {
    return {
      service,
      state: 'not configured',
      url: '',
      milliseconds: undefined,
      detail: `set ${SERVICES[service].variable}`,
    };
  }
  const url = settings.url(service);
  const started = performance.now();
  const milliseconds = (): number => Math.round(performance.now() - started);
  try {
    const response = await settings.fetch(new URL('/readyz', url).href, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    return {
      service,
      url,
      state: response.ok ? 'ready' : 'not ready',
      milliseconds: milliseconds(),
      detail: response.ok ? '' : reasonIn(text),
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { service, url, state: 'unreachable', milliseconds: undefined, detail: cause };
  }
}

function reasonIn(text: string): string {
  try {
    const body = JSON.parse(text) as { detail?: string };
    return body.detail ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
