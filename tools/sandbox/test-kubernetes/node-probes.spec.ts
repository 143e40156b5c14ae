import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubernetesClient } from '@keelson/kubernetes';
import { eventually, privateFolder, removePrivateFolder, testCluster, type TestCluster } from '@keelson/testing';
import { startNode, type RunningNode } from './support/parts.ts';
import { aPod, conditionOf, containerOf, Pods } from './support/pods.ts';

describe('probes, logs and termination on the sandbox node', () => {
  let cluster: TestCluster;
  let node: RunningNode;
  let client: KubernetesClient;
  let pods: Pods;
  let folder: string;

  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    const namespace = await cluster.namespace();
    pods = new Pods(client, namespace);
    node = await startNode(cluster, namespace);
    folder = privateFolder('probes');
  });
  afterAll(async () => {
    await node.stop();
    client.close();
    await cluster.stop();
    removePrivateFolder(folder);
  });

  /** A server that answers 200 while the file is there, else 503. */
  const server = (file: string): string[] => [
    process.execPath,
    '-e',
    `require('http').createServer((q, s) => { s.statusCode = require('fs').existsSync('${file}') ? 200 : 503; s.end(); }).listen(8080, process.env.HOST)`,
  ];
  const host = [{ name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];

  test('readiness follows the probe both ways, and each failure is an Unhealthy event', async () => {
    const file = join(folder, 'ready');
    await pods.create(
      aPod('readiness', '', {
        command: server(file),
        env: host,
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1, failureThreshold: 2 },
      }),
    );
    const event = await pods.untilEvent('readiness', 'Unhealthy', (e) => e.message?.includes('statuscode') === true);
    expect(event).toMatchObject({
      type: 'Warning',
      message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
    });
    expect(conditionOf(await pods.get('readiness'), 'Ready')).toBe('False');
    writeFileSync(file, '');
    await pods.untilReady('readiness');
    rmSync(file);
    const pod = await pods.until('readiness', 'is not ready', (p) => conditionOf(p, 'Ready') === 'False');
    expect(containerOf(pod)?.restartCount).toBe(0);
  });

  test('a failed liveness probe kills and restarts the container', async () => {
    const file = join(folder, 'alive');
    writeFileSync(file, '');
    await pods.create(
      aPod('liveness', '', {
        command: server(file),
        env: host,
        startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 20 },
        livenessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, failureThreshold: 2 },
      }),
    );
    await pods.untilReady('liveness');
    rmSync(file);
    const killing = await pods.untilEvent('liveness', 'Killing');
    expect(killing.message).toBe('Container main failed liveness probe, will be restarted');
    writeFileSync(file, '');
    const pod = await pods.until(
      'liveness',
      'runs again',
      (p) => (containerOf(p)?.restartCount ?? 0) >= 1 && conditionOf(p, 'Ready') === 'True',
    );
    expect(containerOf(pod)?.lastState?.terminated?.exitCode).toBe(143);
  });

  test('an exec probe decides as well', async () => {
    const file = join(folder, 'exec');
    await pods.create(
      aPod('exec', 'sleep 600', {
        env: [{ name: 'FILE', value: file }],
        readinessProbe: {
          exec: { command: ['sh', '-c', 'test -e $FILE || { echo no file; exit 1; }'] },
          periodSeconds: 1,
        },
      }),
    );
    await pods.untilEvent('exec', 'Unhealthy', (e) => e.message === 'Readiness probe failed: no file\n');
    writeFileSync(file, '');
    await pods.untilReady('exec');
  });

  test('logs come whole, by their last lines, and followed until the container ends', async () => {
    await pods.create(
      aPod(
        'logs',
        'for i in 1 2 3; do echo line $i; done; echo oops >&2; trap "echo bye; exit 0" TERM; while :; do sleep 0.1; done',
      ),
    );
    await pods.untilReady('logs');
    await eventually(async () => (await pods.logs('logs')).includes('oops'));
    expect((await pods.logs('logs')).split('\n').sort()).toEqual(['', 'line 1', 'line 2', 'line 3', 'oops']);
    expect((await pods.logs('logs', { tailLines: 1 })).trim().split('\n')).toHaveLength(1);
    const stream = await client.followLogs({ namespace: pods.namespace, name: 'logs', tailLines: 0 });
    let text = '';
    const ended = (async () => {
      for await (const chunk of stream) text += String(chunk);
    })();
    await pods.delete('logs');
    await ended;
    expect(text).toBe('bye\n');
  });

  test('termination runs preStop, then SIGTERM, and the object goes when the process has ended', async () => {
    const file = join(folder, 'order');
    await pods.create(
      aPod(
        'polite',
        'trap "echo term >> $FILE; exit 0" TERM; while :; do sleep 0.05; done',
        {
          env: [{ name: 'FILE', value: file }],
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stop >> $FILE'] } } },
        },
        // Longer than the test waits: the object goes because the process has ended.
        { terminationGracePeriodSeconds: 600 },
      ),
    );
    await pods.untilReady('polite');
    await pods.delete('polite');
    await pods.untilGone('polite');
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(file, 'utf8')).toBe('stop\nterm\n');
    expect((await pods.untilEvent('polite', 'Killing')).message).toBe('Stopping container main');
  });

  test('what ignores SIGTERM is killed after the grace period, with all it started', async () => {
    const file = join(folder, 'pids');
    await pods.create(
      aPod(
        'stubborn',
        'trap "" TERM; sleep 600 & echo $! $$ > $FILE; while :; do sleep 0.05; done',
        { env: [{ name: 'FILE', value: file }] },
        {
          terminationGracePeriodSeconds: 1,
        },
      ),
    );
    await pods.untilReady('stubborn');
    const { readFileSync, existsSync } = await import('node:fs');
    const pids = await eventually(() => {
      const found = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : [];
      return found.length === 2 ? found : undefined;
    });
    const began = Date.now();
    await pods.delete('stubborn');
    await pods.untilGone('stubborn');
    expect(Date.now() - began).toBeGreaterThan(900);
    await eventually(() => pids.every((pid) => !isRunning(pid)), { describe: 'the whole process group is gone' });

    function isRunning(pid: string): boolean {
      return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    }
  });

  test('a forced deletion does not wait', async () => {
    await pods.create(
      aPod('forced', 'trap "" TERM; while :; do sleep 0.05; done', {}, { terminationGracePeriodSeconds: 60 }),
    );
    await pods.untilReady('forced');
    await pods.delete('forced', 0);
    await pods.untilGone('forced', 5000);
  });
});
