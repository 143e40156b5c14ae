import { KubernetesClient, resources } from '@keelson/kubernetes';
import { Database } from '@keelson/persistence';
import {
  eventually,
  privateFolder,
  removePrivateFolder,
  testCluster,
  testDatabase,
  testVhost,
  type ManagedProcess,
  type TestCluster,
  type TestDatabase,
  type TestVhost,
} from '@keelson/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relayProcess } from '../test/support/process.ts';
import { Receiver } from '../test/support/receiver.ts';

let cluster: TestCluster;
let client: KubernetesClient;
let namespace: string;
let place: TestDatabase;
let vhost: TestVhost;
let receiver: Receiver;
let database: Database;
let folder: string;
let env: Record<string, string>;
const running = new Set<ManagedProcess>();

beforeAll(async () => {
  folder = privateFolder('event-relay-replicas');
  [cluster, place, vhost, receiver] = await Promise.all([testCluster(), testDatabase(), testVhost(), Receiver.start()]);
  client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  namespace = await cluster.namespace();
  const rules = join(folder, 'rules.yaml');
  writeFileSync(
    rules,
    `sinks: [{ name: hook, match: { namespaces: [${namespace}] }, webhook: { url: "${receiver.url}" } }]`,
  );
  env = {
    KUBECONFIG: cluster.kubeconfig,
    DATABASE_URL: place.url,
    AMQP_URL: vhost.amqpUrl,
    RULES_FILE: rules,
    CLUSTER: 'test',
    PORT: '0',
  };
});

afterAll(async () => {
  await Promise.all([...running].map((one) => one.stop()));
  client?.close();
  await database?.close();
  await cluster?.stop();
  await Promise.all([place?.drop(), vhost?.delete(), receiver?.stop()]);
  removePrivateFolder(folder);
});

async function replica(): Promise<ManagedProcess> {
  const started = await relayProcess(env);
  running.add(started);
  return started;
}

async function kill(one: ManagedProcess): Promise<void> {
  one.kill('SIGKILL');
  await one.exited;
  running.delete(one);
}

const happen = (n: number) =>
  client.create(
    resources.events,
    {
      metadata: { namespace, name: `event-${n}` },
      involvedObject: { kind: 'Pod', namespace, name: 'shop-1', apiVersion: 'v1' },
      type: 'Warning',
      reason: 'BackOff',
      message: `event ${n}`,
      count: 1,
      firstTimestamp: '2026-03-01T12:00:00Z',
      lastTimestamp: '2026-03-01T12:00:00Z',
      source: { component: 'kubelet', host: 'node-1' },
    },
    { namespace },
  );

const journalled = async () =>
  (
    await database.query<{ message: string }>('SELECT message FROM journal WHERE namespace = $1 ORDER BY sequence', [
      namespace,
    ])
  ).map(({ message }) => message);

/** Messages in the order of their first arrival. */
const distinct = () => [...new Set(receiver.messages)];

test('two replicas, each killed in the stream: every event is in the journal once, in order, and at the sink', async () => {
  let replicas = [await replica(), await replica()] as const;
  database = await Database.open({ url: place.url, name: 'test', migrations: [] });
  let total = 0;
  let creating = true;
  const creator = (async () => {
    while (creating) {
      await happen(total++);
      // A stream that never ends, yet leaves the machine to those that start.
      await eventually(() => !creating || total - distinct().length < 20, { withinMs: 60_000 });
    }
  })();
  creator.catch(() => undefined); // awaited below, unless something else fails first
  for (const victim of [0, 1, 0]) {
    const before = receiver.got.length;
    await eventually(() => receiver.got.length >= before + 10, { describe: 'ten more at the sink' });
    await kill(replicas[victim]!);
    const back = await replica();
    replicas = victim === 0 ? [back, replicas[1]] : [replicas[0], back];
  }
  creating = false;
  await creator;
  const expected = Array.from({ length: total }, (_, n) => `event ${n}`);
  await eventually(() => distinct().length === total, { describe: 'every event at the sink' });
  expect(await journalled()).toEqual(expected);
  expect(distinct()).toEqual(expected);
  // What was in hand at the moment of a kill may come again: one delivery a kill at most.
  expect(receiver.got.length - total).toBeLessThanOrEqual(3);
  // A stop in good order repeats nothing, and the other one goes on alone.
  const repeated = receiver.got.length;
  expect(await replicas[0].stop(20_000)).toEqual({ code: 0, signal: null });
  await happen(total);
  await eventually(() => receiver.messages.includes(`event ${total}`));
  expect(receiver.got).toHaveLength(repeated + 1);
});
