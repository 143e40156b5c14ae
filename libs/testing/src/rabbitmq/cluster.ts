import { randomBytes } from 'node:crypto';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { freePort } from '../network/free-port.ts';
import { onPath } from '../packages/parts.ts';
import { PartError } from '../processes/part-error.ts';
import { eventually } from '../time/eventually.ts';
import { managementOf } from './management.ts';
import { type RabbitMq, startEpmd, startRabbitMq } from './server.ts';

/** Nodes of one cluster, each to be killed and restarted alone. */
export interface RabbitMqCluster {
  readonly nodes: readonly RabbitMq[];
  /** The node that leads a quorum queue of the virtual host `/`, or undefined while it has no leader. */
  leaderOf(queue: string): Promise<RabbitMq | undefined>;
  /**
   * Parts this node from all others: their connections to it are cut and cannot be made again, while clients still reach
   * every node. Resolves when the others know, with the function that mends it, which resolves when all see all again.
   */
  partition(node: RabbitMq): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Starts so many nodes on this machine as one cluster, and resolves when each sees all of them. */
export async function startRabbitMqCluster(count: number): Promise<RabbitMqCluster> {
  const epmdProgram = onPath('epmd');
  if (epmdProgram === undefined)
    throw new PartError('RabbitMQ', 'it is not installed', { remedy: 'apt-get install rabbitmq-server' });
  const base = privateFolder('rabbitmq-cluster');
  const random = (): string => randomBytes(12).toString('hex');
  const epmdPort = await freePort();
  const common = { cookie: random(), password: random(), epmdPort };
  const name = random();
  const peers = Array.from({ length: count }, (_, index) => `keelson-${name}-${index + 1}@localhost`);
  const epmd = await startEpmd(epmdProgram, epmdPort, base);
  const starting = await Promise.allSettled(
    peers.map((nodeName) => startRabbitMq({ member: { ...common, nodeName, peers } })),
  );
  const nodes = starting.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    await epmd.stop(1_000);
    removePrivateFolder(base);
  };
  const failed = starting.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const whole = async (): Promise<void> => {
    for (const node of nodes)
      await eventually(() => seesAll(node, count), {
        withinMs: 90_000,
        everyMs: 200,
        describe: 'one cluster of all nodes',
      });
  };
  await whole();
  return {
    nodes,
    leaderOf: async (queue) => {
      const leader = await anyAnswer(nodes, (node) => leaderNodeOf(node, queue));
      return nodes.find(({ nodeName }) => nodeName === leader);
    },
    partition: async (node) => {
      const others = nodes.filter((other) => other !== node);
      await cutFrom(node, others, random());
      await eventually(async () => !(await seesAll(others[0]!, count)), {
        describe: `${node.nodeName} is away`,
      });
      return async () => {
        await setCookies(node, others, common.cookie);
        await whole();
      };
    },
    stop,
  };
}

/**
 * Erlang nodes connect only if both hold the same cookie for each other: another one on one side parts them, without a
 * rule of a firewall. What is connected already is cut.
 */
async function cutFrom(node: RabbitMq, others: readonly RabbitMq[], cookie: string): Promise<void> {
  await setCookies(node, others, cookie);
  const cut = others.map(({ nodeName }) => `erlang:disconnect_node('${nodeName}')`);
  await node.rabbitmqctl(['eval', `${cut.join(', ')}.`]);
}

async function setCookies(node: RabbitMq, others: readonly RabbitMq[], cookie: string): Promise<void> {
  const set = others.map(({ nodeName }) => `erlang:set_cookie('${nodeName}', '${cookie}')`);
  await node.rabbitmqctl(['eval', `${set.join(', ')}.`]);
}

async function seesAll(node: RabbitMq, count: number): Promise<boolean> {
  const known = (await managementOf(node.managementUrl)('/api/nodes')) as { running: boolean }[];
  return known.length === count && known.every(({ running }) => running);
}

async function leaderNodeOf(node: RabbitMq, queue: string): Promise<string | undefined> {
  const answer = (await managementOf(node.managementUrl)(`/api/queues/%2F/${encodeURIComponent(queue)}`)) as {
    leader?: string;
  };
  return answer.leader;
}

/** The first answer that any node gives: one of them may be down. */
async function anyAnswer<T>(nodes: readonly RabbitMq[], ask: (node: RabbitMq) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const node of nodes) {
    try {
      return await ask(node);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
