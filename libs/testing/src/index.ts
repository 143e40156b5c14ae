// Real parts, each dying with its parent
export { createDatabase as createDatabaseAs } from './postgres/databases.ts';
export { startPostgres, type Postgres, type PostgresOptions } from './postgres/server.ts';
export { startRabbitMq, type RabbitMq, type RabbitMqOptions } from './rabbitmq/server.ts';
export { startRabbitMqCluster, type RabbitMqCluster } from './rabbitmq/cluster.ts';
export { startPrometheus, type Prometheus, type PrometheusOptions } from './prometheus/server.ts';
export { startKafka, type Kafka } from './kafka/server.ts';
export { chromiumPath } from './chromium/chromium-path.ts';
export { ensurePart, type EnsureOptions } from './packages/ensure-part.ts';
export { onPath, type PartName } from './packages/parts.ts';

export { telegramStandIn, type TelegramStandIn, type TelegramOptions, type Failure } from './telegram/stand-in.ts';
export type { ReceivedMessage } from './telegram/messages.ts';

export { type Payment } from './payment/account.ts';
export { PAYMENT_MODES, type PaymentBehaviour, type PaymentMode, PaymentProvider } from './payment/provider.ts';
export { type PaymentProcess, startPaymentProvider } from './payment/process.ts';

// For test files
export { testDatabase, type TestDatabase } from './run/test-database.ts';
export { testVhost, type TestVhost } from './run/test-vhost.ts';
export { testPostgres, testRabbitMq } from './run/own-servers.ts';
export { testCluster, type TestCluster } from './cluster/test-cluster.ts';

// Time
export { eventually, type EventuallyOptions } from './time/eventually.ts';
export { fixedClock, type FixedClock } from './time/fixed-clock.ts';

// The workspace
export { nx, type NxResult } from './workspace/nx.ts';
export { type BuildOptions, buildProjects } from './workspace/build.ts';

// Processes, ports, folders
export {
  startProcess,
  describeExit,
  type Exit,
  type ManagedProcess,
  type ProcessOptions,
} from './processes/managed-process.ts';
export { PartError } from './processes/part-error.ts';
export { freePort, freePorts } from './network/free-port.ts';
export { tcpProxy, type TcpProxy } from './network/tcp-proxy.ts';
export { privateFolder, removePrivateFolder, sweepLeftovers, type Swept } from './folders/private-folder.ts';
export { cacheFolder } from './packages/cache-folder.ts';
