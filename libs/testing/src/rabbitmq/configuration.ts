import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RabbitMqPorts {
  amqp: number;
  management: number;
  prometheus: number;
  /** Between Erlang nodes, and rabbitmqctl. */
  distribution: number;
  /** Erlang's port mapper: one of our own, for the system's would be shared with other nodes and outlive us. */
  epmd: number;
}

export interface NodeFiles {
  folder: string;
  nodeName: string;
  cookie: string;
  username: string;
  password: string;
  ports: RabbitMqPorts;
  /** Names of all nodes of its cluster, its own among them. */
  peers?: readonly string[];
}

/** Writes a private node's configuration and returns the environment that makes the server and rabbitmqctl use it. */
export function configureNode({
  folder,
  nodeName,
  cookie,
  username,
  password,
  ports,
  peers = [],
}: NodeFiles): Record<string, string> {
  const path = (name: string): string => join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path('.erlang.cookie'), cookie, { mode: 0o600 });
  writeFileSync(path('enabled_plugins'), '[rabbitmq_management,rabbitmq_prometheus].\n');
  writeFileSync(path('env.conf'), '');
  writeFileSync(
    path('rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${ports.management}`,
      'prometheus.tcp.ip = 127.0.0.1',
      `prometheus.tcp.port = ${ports.prometheus}`,
      'vm_memory_high_watermark.absolute = 512MiB',
      'disk_free_limit.absolute = 50MB',
      `default_user = ${username}`,
      `default_pass = ${password}`,
      'loopback_users = none',
      'log.console = true',
      'log.console.level = info',
      'log.file = false',
      ...(peers.length === 0 ? [] : clusterOf(peers)),
    ]
      .map((line) => `${line}\n`)
      .join(''),
    { mode: 0o600 },
  );
  return {
    HOME: folder,
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_CONF_ENV_FILE: path('env.conf'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path('advanced.config'),
    RABBITMQ_GENERATED_CONFIG_DIR: path('generated'),
    RABBITMQ_MNESIA_BASE: path('mnesia'),
    RABBITMQ_LOG_BASE: path('log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
    RABBITMQ_PID_FILE: path('pid'),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    // No busy waiting of idle schedulers; Erlang must not start a port mapper that outlives us.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
    // With it the script replaces itself by Erlang, so that the pid we know is the server's own.
    RABBITMQ_ALLOW_INPUT: '1',
  };
}

/** What RabbitMQ's guide to partitions recommends for three nodes: the lesser part pauses, and comes back by itself. */
const clusterOf = (peers: readonly string[]): string[] => [
  'cluster_formation.peer_discovery_backend = classic_config',
  ...peers.map((peer, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${peer}`),
  'cluster_formation.randomized_startup_delay_range.max = 0',
  'cluster_partition_handling = pause_minority',
];
