import { ConfigError, loadConfig } from '@keelson/service-kit';
import { configSchema } from '../src/config.ts';

const right = {
  DATABASE_URL: 'postgres://u:p@h/d',
  AMQP_URL: 'amqp://u:p@h',
  PROMETHEUS_URL: 'http://prometheus:9090/prefix',
  EVENTS_URL: 'https://event-relay',
  SERVICE_TOKEN: 'a-token-of-16-characters',
};

function faults(env: Record<string, string>): string {
  try {
    loadConfig(configSchema, { ...right, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
  }
  throw new Error('it was accepted');
}

test('what is needed is enough', () => {
  expect(loadConfig(configSchema, right)).toMatchObject({
    LEASE_DURATION_SECONDS: 15,
    PROMETHEUS_URL: right.PROMETHEUS_URL,
  });
});

test('every fault is listed at once with what is allowed, and no secret is shown', () => {
  const message = faults({
    PROMETHEUS_URL: 'prometheus:9090',
    EVENTS_URL: 'ftp://event-relay',
    SERVICE_TOKEN: 'secret-but-sho',
    LEASE_DURATION_SECONDS: '1',
  });
  for (const part of ['PROMETHEUS_URL', 'http://', 'EVENTS_URL', 'SERVICE_TOKEN', 'LEASE_DURATION_SECONDS', '>=2']) {
    expect(message).toContain(part);
  }
  expect(message).not.toContain('secret-but-sho');
});

test.each(['PROMETHEUS_URL', 'EVENTS_URL'])(
  '%s must not carry a password, which would end up in evidence and logs',
  (name) => {
    const message = faults({ [name]: 'http://reader:open-sesame@prometheus:9090' });
    expect(message).toContain(`${name}: `);
    expect(message).toContain('must not carry a user or a password');
    expect(message).not.toContain('open-sesame');
  },
);
