import { eventually, startRabbitMqCluster, type RabbitMqCluster } from '../src/index.ts';
import { managementOf } from '../src/rabbitmq/management.ts';

test('a cluster of three: a quorum queue has a leader, another one takes over when its node is killed or parted from the others, and the node comes back', async () => {
  const cluster: RabbitMqCluster = await startRabbitMqCluster(3);
  try {
    await managementOf(cluster.nodes[0]!.managementUrl)('/api/queues/%2F/q', {
      method: 'PUT',
      body: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
    });
    const leader = await eventually(async () => cluster.leaderOf('q'));
    leader.kill('SIGKILL');
    await eventually(async () => {
      const now = await cluster.leaderOf('q');
      return now !== undefined && now !== leader;
    });
    await leader.restart();
    const answer = (await managementOf(leader.managementUrl)('/api/nodes')) as { running: boolean }[];
    expect(answer.filter(({ running }) => running)).toHaveLength(3);

    const parted = await eventually(async () => cluster.leaderOf('q'));
    const mend = await cluster.partition(parted);
    const rest = cluster.nodes.find((node) => node !== parted)!;
    const running = async () =>
      ((await managementOf(rest.managementUrl)('/api/nodes')) as { name: string; running: boolean }[])
        .filter((node) => node.running)
        .map(({ name }) => name)
        .toSorted();
    expect(await running()).toEqual(
      cluster.nodes
        .filter((node) => node !== parted)
        .map(({ nodeName }) => nodeName)
        .toSorted(),
    );
    await mend();
    expect(await running()).toHaveLength(3);
  } finally {
    await cluster.stop();
  }
});
