import type { PlatformStatus, ServiceStatus } from '../../status.ts';
import type { Reading } from '../api/use-read.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Show } from '../parts/reading.tsx';

const STATES: Readonly<Record<ServiceStatus['state'], { readonly tone: Tone; readonly text: string }>> = {
  ready: { tone: 'good', text: 'ready' },
  'not-ready': { tone: 'bad', text: 'not ready' },
  draining: { tone: 'warn', text: 'shutting down' },
  unreachable: { tone: 'bad', text: 'no answer' },
};

/** Whether each service can do its work, and which part it waits for. */
export function ServicesCard({ reading }: { readonly reading: Reading<PlatformStatus> }) {
  return (
    <section className="section" aria-label="Services" id="services">
      <div className="section-head">
        <h2>Services</h2>
      </div>
      <Show reading={reading} what="the state of the services" lines={2}>
        {({ services }) => (
          <ul className="services">
            {services.map((one) => (
              <Service key={one.key} one={one} />
            ))}
          </ul>
        )}
      </Show>
    </section>
  );
}

function Service({ one: { service, state, milliseconds, reason, checks } }: { readonly one: ServiceStatus }) {
  const { tone, text } = STATES[state];
  return (
    <li data-tone={tone}>
      <p className="service-name">
        <strong>{service}</strong>
        <Badge tone={tone}>{text}</Badge>
      </p>
      {checks.length === 0 ? null : (
        <ul className="checks" aria-label={`Parts that ${service} needs`}>
          {checks.map((check) => (
            <li key={check.name} data-tone={check.ok ? 'good' : 'bad'}>
              {check.name}
              <span className="unseen">{check.ok ? ' is there' : ' is missing'}</span>
            </li>
          ))}
        </ul>
      )}
      <p className="quiet small">{reason ?? (milliseconds === undefined ? '' : `answered in ${milliseconds} ms`)}</p>
    </li>
  );
}
