/** The processes of order-demo in a fault run: role and number. Two of those whose copies must not tread on each other. */
export const INSTANCES = [
  'api-1',
  'api-2',
  'inventory-1',
  'inventory-2',
  'documents-1',
  'coupons-1',
  'coupons-2',
  'notifications-1',
] as const;
export type Instance = (typeof INSTANCES)[number];

/** Those that bring the outbox to the broker; the others leave it to them. */
export const RELAYS: readonly Instance[] = ['api-2', 'inventory-1', 'inventory-2'];

/** Those that consume. */
export const CONSUMERS: readonly Instance[] = INSTANCES.filter((name) => !name.startsWith('api-'));

/** The queues that they consume from. */
export const QUEUES = ['inventory', 'payments', 'documents', 'coupons', 'notifications'].map(
  (name) => `order-demo.${name}`,
);

/** What a fault hits besides its own area's part. */
export type TargetOf = 'instance' | 'consumer' | 'role' | 'none';

export interface Kind {
  readonly area: 'process' | 'broker' | 'database' | 'network' | 'messages' | 'payment';
  /** One line for --list; the schedule says it, too. */
  readonly what: string;
  readonly target: TargetOf;
  /** How long it lasts, shortest and longest, in ms. */
  readonly outageMs: readonly [number, number];
  /** What comes back needs so long at least before the next fault, in ms. */
  readonly recoverMs: number;
  /** Only where the broker is a cluster. */
  readonly clusterOnly?: true;
}

/** Every kind of fault there is; all else is derived from this table. */
export const KINDS = {
  'kill-process': {
    area: 'process',
    what: 'kill -9 of one process, started again later',
    target: 'instance',
    outageMs: [0, 3_000],
    recoverMs: 3_000,
  },
  'kill-role': {
    area: 'process',
    what: 'kill -9 of every process of a role at once',
    target: 'role',
    outageMs: [500, 4_000],
    recoverMs: 3_000,
  },
  'kill-relays': {
    area: 'process',
    what: 'kill -9 of every process that relays the outbox',
    target: 'none',
    outageMs: [500, 3_000],
    recoverMs: 3_000,
  },
  'end-process': {
    area: 'process',
    what: 'SIGTERM to one process, as in a rolling update',
    target: 'instance',
    outageMs: [0, 1_000],
    recoverMs: 3_000,
  },
  'freeze-process': {
    area: 'process',
    what: 'one process stopped (SIGSTOP) and let go on, as a frozen virtual machine',
    target: 'instance',
    outageMs: [500, 6_000],
    recoverMs: 2_000,
  },
  'kill-broker': {
    area: 'broker',
    what: 'kill -9 of RabbitMQ (a node of the cluster)',
    target: 'none',
    outageMs: [500, 4_000],
    recoverMs: 6_000,
  },
  'restart-broker': {
    area: 'broker',
    what: 'RabbitMQ stopped and started in its process (a node of the cluster)',
    target: 'none',
    outageMs: [500, 3_000],
    recoverMs: 5_000,
  },
  'kill-leader': {
    area: 'broker',
    what: 'kill -9 of the node that leads a quorum queue',
    target: 'none',
    outageMs: [1_000, 5_000],
    recoverMs: 8_000,
    clusterOnly: true,
  },
  partition: {
    area: 'broker',
    what: 'the node that leads a quorum queue is parted from the other nodes',
    target: 'none',
    outageMs: [3_000, 8_000],
    recoverMs: 8_000,
    clusterOnly: true,
  },
  'disk-alarm': {
    area: 'broker',
    what: 'disk alarm: the broker blocks whoever publishes',
    target: 'none',
    outageMs: [1_500, 5_000],
    recoverMs: 2_000,
  },
  'memory-alarm': {
    area: 'broker',
    what: 'memory alarm: the broker blocks whoever publishes',
    target: 'none',
    outageMs: [1_500, 5_000],
    recoverMs: 2_000,
  },
  'close-connections': {
    area: 'broker',
    what: 'the broker closes every connection (an operator does)',
    target: 'none',
    outageMs: [0, 0],
    recoverMs: 3_000,
  },
  'kill-database': {
    area: 'database',
    what: 'kill -9 of PostgreSQL',
    target: 'none',
    outageMs: [500, 4_000],
    recoverMs: 4_000,
  },
  'restart-database': {
    area: 'database',
    what: 'fast shutdown of PostgreSQL and start',
    target: 'none',
    outageMs: [0, 2_000],
    recoverMs: 4_000,
  },
  'end-backends': {
    area: 'database',
    what: 'pg_terminate_backend for every connection',
    target: 'none',
    outageMs: [0, 0],
    recoverMs: 2_000,
  },
  'cut-database': {
    area: 'network',
    what: 'connections of one process to PostgreSQL reset, new ones refused',
    target: 'instance',
    outageMs: [0, 3_000],
    recoverMs: 2_000,
  },
  'cut-broker': {
    area: 'network',
    what: 'connections of one process to RabbitMQ reset, new ones refused',
    target: 'instance',
    outageMs: [0, 3_000],
    recoverMs: 3_000,
  },
  'hang-database': {
    area: 'network',
    what: 'connections of one process to PostgreSQL carry nothing for a while',
    target: 'instance',
    outageMs: [1_000, 5_000],
    recoverMs: 2_000,
  },
  'hang-broker': {
    area: 'network',
    what: 'connections of one process to RabbitMQ carry nothing for a while',
    target: 'instance',
    outageMs: [1_000, 5_000],
    recoverMs: 2_000,
  },
  'slow-network': {
    area: 'network',
    what: 'answers of PostgreSQL and RabbitMQ to one process come 20 to 150 ms late',
    target: 'instance',
    outageMs: [2_000, 6_000],
    recoverMs: 1_000,
  },
  'slow-consumer': {
    area: 'network',
    what: 'a consumer works at a crawl: its database answers half a second late',
    target: 'consumer',
    outageMs: [3_000, 8_000],
    recoverMs: 2_000,
  },
  'kill-payment': {
    area: 'payment',
    what: 'kill -9 of the payment provider, started again with its books',
    target: 'none',
    outageMs: [500, 4_000],
    recoverMs: 3_000,
  },
  'payment-down': {
    area: 'payment',
    what: 'the payment provider answers 503',
    target: 'none',
    outageMs: [1_000, 5_000],
    recoverMs: 3_000,
  },
  'payment-slow': {
    area: 'payment',
    what: 'the payment provider books after 1 to 7 s: some requests are given up before',
    target: 'none',
    outageMs: [2_000, 6_000],
    recoverMs: 3_000,
  },
  'payment-late': {
    area: 'payment',
    what: 'the payment provider books at once and answers after its clients have given up',
    target: 'none',
    outageMs: [2_000, 6_000],
    recoverMs: 3_000,
  },
  'payment-dropping': {
    area: 'payment',
    what: 'the payment provider books and then breaks the connection',
    target: 'none',
    outageMs: [1_000, 5_000],
    recoverMs: 3_000,
  },
  'payment-declines': {
    area: 'payment',
    what: 'the payment provider declines: these orders are compensated',
    target: 'none',
    outageMs: [500, 3_000],
    recoverMs: 1_000,
  },
  'repeat-messages': {
    area: 'messages',
    what: 'messages of the last seconds published again in random order, with the same and with new ids',
    target: 'none',
    outageMs: [1_500, 4_000],
    recoverMs: 1_500,
  },
  'poison-messages': {
    area: 'messages',
    what: 'messages that break their contract: no JSON, wrong fields, unknown version, empty, huge',
    target: 'none',
    outageMs: [0, 0],
    recoverMs: 1_500,
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** The names, without those that need a cluster where there is none. */
export function kindsFor({ cluster }: { cluster: boolean }): KindName[] {
  return (Object.keys(KINDS) as KindName[]).filter((name) => cluster || !('clusterOnly' in KINDS[name]));
}
