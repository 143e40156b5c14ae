import type { Canary, Certificate, Delivery, Evidence, QueueState, Sink, Verdict } from '@keelson/contracts';
import type { PlatformStatus } from '../../status.ts';
import { type Inputs, overview } from './all-findings.ts';

const now = Date.parse('2026-01-31T12:00:00.000Z');
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

const status = (state: PlatformStatus['services'][number]['state'], reason?: string): PlatformStatus => ({
  readAt: ago(0),
  services: [{ key: 'events', service: 'event-relay', state, reason, checks: [] }],
});
const canary = (part: Partial<Canary>): Canary =>
  ({
    namespace: 'shop',
    name: 'web',
    phase: 'Promoted',
    reason: 'because',
    since: ago(60),
    evidence: [],
    ...part,
  }) as Canary;
const sink = (part: Partial<Sink>): Sink => ({
  name: 'chat',
  kind: 'telegram',
  state: 'delivering',
  cursor: 9,
  lagEvents: 0,
  lagSeconds: 0,
  delivered: 9,
  deadLetters: 0,
  ...part,
});
const verdict = (part: Partial<Verdict>): Verdict => ({
  accepted: 3,
  confirmed: 3,
  compensated: 0,
  lost: [],
  doubled: [],
  stuck: [],
  negative: [],
  ok: true,
  ...part,
});
const queue = (part: Partial<QueueState>): QueueState => ({
  queue: 'order-demo.coupons',
  ready: 0,
  consumers: 1,
  parked: 0,
  ...part,
});
const certificate = (part: Partial<Certificate>): Certificate =>
  ({
    id: 'c1',
    team: 'shop',
    state: 'valid',
    serial: '0a',
    subject: '',
    dnsNames: ['shop.example'],
    ipAddresses: [],
    uris: [],
    notBefore: ago(3_600),
    notAfter: ago(-86_400),
    ...part,
  }) as Certificate;
const delivery = (state: Delivery['state']): Delivery =>
  ({ id: 'd1', state, secret: { namespace: 'shop', name: 'tls' }, dnsNames: ['shop.example'] }) as Delivery;

/** Everything is well, but for what a test says. */
function inputs(part: { [Key in keyof Inputs]?: Inputs[Key]['data'] } = {}): Inputs {
  const input = <T>(data: T) => ({ data, unseen: undefined });
  return {
    status: input(part.status ?? status('ready')),
    canaries: input(part.canaries ?? [canary({})]),
    warnings: input(part.warnings ?? []),
    sinks: input(part.sinks ?? { sinks: [sink({})], gaps: [] }),
    verdict: input(part.verdict ?? verdict({})),
    orderQueues: input(part.orderQueues ?? [queue({})]),
    eventQueues: input(part.eventQueues ?? [queue({ queue: 'event-relay.platform' })]),
    certificates: input(part.certificates ?? { ending: [certificate({})], deliveries: [delivery('delivered')] }),
  };
}

const failed: Evidence = {
  check: 'success-rate',
  outcome: 'fail',
  summary: '12 % of 400 requests failed; 3 % is allowed',
};

test('where all is well nothing is found', () => {
  expect(overview(inputs(), now)).toEqual({ findings: [], unseen: [], reading: false });
});

test.each<{ name: string; part: Parameters<typeof inputs>[0]; severity: string; title: string; detail?: string }>([
  {
    name: 'a service that waits',
    part: { status: status('not-ready', 'database: refused') },
    severity: 'critical',
    title: 'event-relay is not ready',
    detail: 'database: refused',
  },
  {
    name: 'a service that is away',
    part: { status: status('unreachable') },
    severity: 'critical',
    title: 'event-relay does not answer',
  },
  {
    name: 'a service that drains',
    part: { status: status('draining') },
    severity: 'warning',
    title: 'event-relay is shutting down',
  },
  {
    name: 'a release that rolls back',
    part: { canaries: [canary({ phase: 'RollingBack' })] },
    severity: 'critical',
    title: 'shop/web is being rolled back',
    detail: 'because',
  },
  {
    name: 'a release that was rolled back',
    part: { canaries: [canary({ phase: 'RolledBack' })] },
    severity: 'warning',
    title: 'shop/web was rolled back',
  },
  {
    name: 'a release that waits',
    part: { canaries: [canary({ phase: 'Paused' })] },
    severity: 'warning',
    title: 'shop/web waits for a decision',
  },
  {
    name: 'a release that is refused',
    part: { canaries: [canary({ phase: 'Refused' })] },
    severity: 'warning',
    title: 'shop/web is refused',
  },
  {
    name: 'a release that fails a look',
    part: { canaries: [canary({ phase: 'Progressing', evidence: [failed] })] },
    severity: 'critical',
    title: 'shop/web looks bad',
    detail: failed.summary,
  },
  {
    name: 'a version that does not start',
    part: { canaries: [canary({ phase: 'Pending', since: ago(301) })] },
    severity: 'warning',
    title: 'does not get ready',
  },
  {
    name: 'a sink that stopped',
    part: { sinks: { sinks: [sink({ state: 'stopped', lastError: 'no such chat' })], gaps: [] } },
    severity: 'critical',
    title: 'Sink chat has stopped',
    detail: 'no such chat; 0 events behind',
  },
  {
    name: 'a sink that is late',
    part: { sinks: { sinks: [sink({ lagEvents: 1, lagSeconds: 61 })], gaps: [] } },
    severity: 'warning',
    title: 'Sink chat is late',
    detail: '1 event behind, the oldest by 61 s',
  },
  {
    name: 'dead letters',
    part: { sinks: { sinks: [sink({ deadLetters: 2 })], gaps: [] } },
    severity: 'warning',
    title: '2 events rejected by sink chat',
  },
  {
    name: 'a gap',
    part: {
      sinks: {
        sinks: [],
        gaps: [{ id: 'g', cluster: 'east', cause: 'outage', from: ago(60), to: ago(30), detail: 'no watch for 30 s' }],
      },
    },
    severity: 'warning',
    title: 'Events of cluster east may be missing',
  },
  {
    name: 'a lost order',
    part: { verdict: verdict({ lost: ['o1'], ok: false }) },
    severity: 'critical',
    title: '1 order lost',
    detail: 'o1',
  },
  {
    name: 'a queue that nobody reads',
    part: { orderQueues: [queue({ consumers: 0, ready: 1 })] },
    severity: 'critical',
    title: 'Nobody reads queue order-demo.coupons',
    detail: '1 message waits in it.',
  },
  {
    name: 'a queue that cannot be read',
    part: { eventQueues: [queue({ queue: 'event-relay.platform', consumers: 0, fault: 'it has no leader' })] },
    severity: 'critical',
    title: 'Queue event-relay.platform cannot be read',
    detail: 'it has no leader',
  },
  {
    name: 'messages that were given up',
    part: { orderQueues: [queue({ parked: 3 })] },
    severity: 'warning',
    title: '3 messages of order-demo.coupons given up',
  },
  {
    name: 'a parking lot that both services share and nobody has to read, once,',
    part: {
      orderQueues: [queue({ queue: 'keelson.delayed', consumers: 0, parked: 1, lotOnly: true })],
      eventQueues: [queue({ queue: 'keelson.delayed', consumers: 0, parked: 1, lotOnly: true })],
    },
    severity: 'warning',
    title: '1 message of keelson.delayed given up',
  },
  {
    name: 'a certificate near its end',
    part: {
      certificates: { ending: [certificate({ notBefore: ago(80_000), notAfter: ago(-6_400) })], deliveries: [] },
    },
    severity: 'critical',
    title: 'Certificate of shop.example expires in 1 h',
  },
  {
    name: 'a Secret in conflict',
    part: { certificates: { ending: [], deliveries: [delivery('conflict')] } },
    severity: 'critical',
    title: 'Secret shop/tls does not get its certificate',
  },
])('$name is found', ({ part, severity, title, detail }) => {
  const { findings } = overview(inputs(part), now);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ severity });
  expect(findings[0]!.title).toContain(title);
  if (detail !== undefined) expect(findings[0]!.detail).toContain(detail);
});

test.each<{ name: string; part: Parameters<typeof inputs>[0] }>([
  {
    name: 'a rollback of the day before yesterday',
    part: { canaries: [canary({ phase: 'RolledBack', since: ago(90_000) })] },
  },
  {
    name: 'a version that has just begun to start',
    part: { canaries: [canary({ phase: 'Pending', since: ago(10) })] },
  },
  { name: 'a release that is healthy', part: { canaries: [canary({ phase: 'Progressing' })] } },
  {
    name: 'a certificate near its end that another replaces',
    part: {
      certificates: {
        ending: [certificate({ notBefore: ago(80_000), notAfter: ago(-6_400) }), certificate({ id: 'c2' })],
        deliveries: [],
      },
    },
  },
  { name: 'a delivery that is under way', part: { certificates: { ending: [], deliveries: [delivery('pending')] } } },
])('$name is no news', ({ part }) => {
  expect(overview(inputs(part), now).findings).toEqual([]);
});

test('the worst comes first, then the newest', () => {
  const canaries = [
    canary({ name: 'a', phase: 'Paused', since: ago(300) }),
    canary({ name: 'b', phase: 'Paused', since: ago(30) }),
    canary({ name: 'c', phase: 'RollingBack', since: ago(600) }),
  ];
  expect(overview(inputs({ canaries }), now).findings.map(({ key }) => key)).toEqual([
    'canary/shop/c',
    'canary/shop/b',
    'canary/shop/a',
  ]);
});

test('many orders are counted, and the first of them named', () => {
  const lost = ['o1', 'o2', 'o3', 'o4', 'o5'];
  const [finding] = overview(inputs({ verdict: verdict({ lost, ok: false }) }), now).findings;
  expect(finding).toMatchObject({ title: '5 orders lost', detail: 'o1; o2; o3; and 2 more' });
});

test('what could not be looked at is said, so that silence is not taken for health', () => {
  const read = overview({ ...inputs(), verdict: { data: undefined, unseen: 'order-demo does not answer' } }, now);
  expect(read.unseen).toEqual([{ area: 'orders', reason: 'order-demo does not answer' }]);
  expect(read.reading).toBe(false);
});

test('before the first reading nothing is claimed', () => {
  expect(overview({ ...inputs(), sinks: { data: undefined, unseen: undefined } }, now).reading).toBe(true);
});
