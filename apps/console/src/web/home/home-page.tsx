import { explain } from '../parts/explain.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Page } from '../parts/page.tsx';
import { useNow } from '../parts/use-now.ts';
import { overview, type Inputs } from './all-findings.ts';
import { CertificatesCard } from './certificates-card.tsx';
import { EventsCard } from './events-card.tsx';
import { Findings } from './findings.tsx';
import { OrdersCard } from './orders-card.tsx';
import { type HomeReadings, type Part, useHomeReadings } from './readings.ts';
import { ReleasesCard } from './releases-card.tsx';
import { ServicesCard } from './services-card.tsx';
import type { Reading } from '../api/use-read.ts';

/** What is wrong now, before anything else; then how each part stands. */
export function HomePage() {
  const readings = useHomeReadings();
  const seen = overview(inputsOf(readings), useNow());
  return (
    <Page title="What is wrong now" tab="Home">
      <Findings overview={seen} />
      <ServicesCard reading={readings.status} />
      <div className="cards">
        <ReleasesCard part={readings.canaries} />
        <EventsCard part={readings.warnings} sinks={readings.sinks} />
        <OrdersCard part={readings.verdict} />
        <CertificatesCard part={readings.certificates} />
      </div>
      <Elsewhere
        api={[
          'GET /readyz',
          'GET /v1/canaries',
          'GET /v1/events?type=Warning',
          'GET /v1/sinks',
          'GET /v1/verification',
          'GET /v1/messages/queues',
          'GET /v1/certificates?state=valid',
          'GET /v1/deliveries',
        ]}
        cli={[
          'keelson status',
          'keelson canary list',
          'keelson events search --type Warning --since 15m',
          'keelson orders verify',
          'keelson messages queues',
          'keelson cert list --state valid --expires-within 30d',
        ]}
      />
    </Page>
  );
}

function inputsOf(readings: HomeReadings): Inputs {
  const input = <T,>(reading: Reading<T> | Part<T>) => {
    const permission = 'permission' in reading ? reading.permission : { allowed: true as const };
    const failed = reading.error === undefined ? undefined : reasonOf(reading.error);
    return {
      data: permission.allowed ? reading.data : undefined,
      unseen: permission.allowed ? failed : permission.reason,
    };
  };
  return {
    status: input(readings.status),
    canaries: input(readings.canaries),
    warnings: input(readings.warnings),
    sinks: input(readings.sinks),
    verdict: input(readings.verdict),
    orderQueues: input(readings.orderQueues),
    eventQueues: input(readings.eventQueues),
    certificates: input(readings.certificates),
  };
}

function reasonOf(error: unknown): string {
  const { title, detail } = explain(error);
  return detail ?? title;
}
