import { eventually, type RabbitMq } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { QUEUES } from '../schedule/kinds.ts';
import { dice } from '../schedule/seeded.ts';
import type { CarryOut, Stage } from './carry-out.ts';

/** A node of the broker: its only one, or one that the fault's seed chooses. */
const nodeOf = ({ place, fault }: Stage): { node: RabbitMq; name: string } => {
  const { nodes } = place.broker;
  const node = dice(fault.seed).oneOf(nodes);
  return { node, name: nodes.length === 1 ? 'RabbitMQ' : `node ${nodes.indexOf(node) + 1} of RabbitMQ` };
};

export const killBroker: CarryOut = async (stage) => {
  const { node, name } = nodeOf(stage);
  await killAndRestart(stage, node, name);
};

async function killAndRestart({ fault, say }: Stage, node: RabbitMq, name: string): Promise<void> {
  node.kill('SIGKILL');
  say(`kill -9 of ${name}`);
  await pause(fault.outageMs);
  await node.restart();
  say(`${name} is up again`);
}

/** The node that leads a queue which the fault's seed chooses. */
async function leaderOf({ place, fault }: Stage): Promise<{ node: RabbitMq; name: string }> {
  const queue = dice(fault.seed).oneOf(QUEUES);
  const node = await eventually(() => place.broker.leaderOf(queue), { describe: `${queue} has a leader` });
  return { node, name: `node ${place.broker.nodes.indexOf(node) + 1}, which leads ${queue},` };
}

export const killLeader: CarryOut = async (stage) => {
  const { node, name } = await leaderOf(stage);
  await killAndRestart(stage, node, name);
};

export const partition: CarryOut = async (stage) => {
  const { node, name } = await leaderOf(stage);
  const { broker } = stage.place;
  if (broker.partition === undefined) throw new Error('a broker of one node has no partition');
  const mend = await broker.partition(node);
  stage.say(`${name} is parted from the other nodes`);
  await pause(stage.fault.outageMs);
  await mend();
  stage.say('all nodes see each other again');
};

export const restartBroker: CarryOut = async (stage) => {
  const { node, name } = nodeOf(stage);
  await node.rabbitmqctl(['stop_app']);
  stage.say(`${name} is stopped`);
  await pause(stage.fault.outageMs);
  await node.rabbitmqctl(['start_app']);
  stage.say(`${name} is started again`);
};

/** Sets a limit that is exceeded at once, sees that the alarm is on, and takes it back. */
function alarm(what: string, on: readonly string[], off: readonly string[]): CarryOut {
  return async (stage) => {
    const { node, name } = nodeOf(stage);
    await node.rabbitmqctl([...on]);
    await node.alarmIs(true);
    stage.say(`${what} alarm of ${name}: whoever publishes is blocked`);
    await pause(stage.fault.outageMs);
    await node.rabbitmqctl([...off]);
    await node.alarmIs(false);
    stage.say(`${what} alarm of ${name} is over`);
  };
}

export const diskAlarm = alarm('disk', ['set_disk_free_limit', '100000GB'], ['set_disk_free_limit', '50MB']);

export const memoryAlarm = alarm(
  'memory',
  ['set_vm_memory_high_watermark', 'absolute', '1MiB'],
  ['set_vm_memory_high_watermark', 'absolute', '512MiB'],
);

export const closeConnections: CarryOut = async (stage) => {
  const { node, name } = nodeOf(stage);
  await node.rabbitmqctl(['close_all_connections', 'closed in a fault run']);
  stage.say(`${name} has closed every connection`);
};
