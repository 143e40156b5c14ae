import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { startNode, type RunningNode } from './support/parts.ts';
import { aPod, conditionOf, containerOf, Pods } from './support/pods.ts';

describe('a pod on the sandbox node', () => {
  let cluster: TestCluster;
  let node: RunningNode;
  let client: KubernetesClient;
  let pods: Pods;

  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    const namespace = await cluster.namespace();
    pods = new Pods(client, namespace);
    node = await startNode(cluster, namespace);
  });
  afterAll(async () => {
    await node.stop();
    client.close();
    await cluster.stop();
  });

  const toldOf = async (name: string) => (await pods.events(name)).map(({ reason }) => reason);

  test('is bound, started and ready, with the events of scheduler and kubelet', async () => {
    await pods.create(aPod('plain', 'echo hello; sleep 600'));
    const pod = await pods.untilReady('plain');
    expect(pod.spec?.nodeName).toBe(node.name);
    expect(pod.status).toMatchObject({
      phase: 'Running',
      podIP: expect.stringMatching(/^10\.\d+\.\d+\.\d+$/) as string,
    });
    expect(containerOf(pod)).toMatchObject({ ready: true, restartCount: 0, state: { running: {} } });
    const scheduled = await pods.untilEvent('plain', 'Scheduled');
    expect(scheduled).toMatchObject({
      reportingComponent: 'default-scheduler',
      message: `Successfully assigned ${pods.namespace}/plain to ${node.name}`,
    });
    const started = await pods.untilEvent('plain', 'Started');
    expect(started).toMatchObject({
      type: 'Normal',
      message: 'Started container main',
      source: { component: 'kubelet', host: node.name },
      involvedObject: { kind: 'Pod', fieldPath: 'spec.containers{main}', uid: pod.metadata?.uid },
    });
    // A list is sorted by name, and their names sort by time.
    expect(await toldOf('plain')).toEqual(['Scheduled', 'Pulled', 'Created', 'Started']);
    expect((await pods.events('plain'))[2]?.message).toBe('Created container: main');
  });

  test('whose program is not there is told of up to the step that failed', async () => {
    const pod = aPod('absent', '');
    if (pod.spec?.containers[0]) pod.spec.containers[0].command = ['/no/such/program'];
    await pods.create(pod);
    await pods.untilEvent('absent', 'Scheduled');
    const failed = await pods.untilEvent('absent', 'Failed');
    expect(failed.message).toContain('exec: "/no/such/program": stat /no/such/program: no such file or directory');
    expect((await toldOf('absent')).slice(0, 4)).toEqual(['Scheduled', 'Pulled', 'Created', 'Failed']);
  });

  test('gets its environment from values, fields, Secrets and ConfigMaps', async () => {
    const { namespace } = pods;
    await client.create(
      resources.secrets,
      { metadata: { name: 'keys' }, stringData: { token: 's3cret' } },
      { namespace },
    );
    await client.create(
      resources.configMaps,
      { metadata: { name: 'settings' }, data: { COLOUR: 'green' } },
      { namespace },
    );
    await pods.create(
      aPod(
        'environment',
        'echo "$URL|$TOKEN|$COLOUR|$NODE|$NAME|$1"',
        {
          args: ['sh', '$(COLOUR)-$(MISSING)'],
          envFrom: [{ configMapRef: { name: 'settings' } }],
          env: [
            { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'URL', value: 'http://$(HOST):8080' },
            { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
            { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
        },
        { restartPolicy: 'Never' },
      ),
    );
    const pod = await pods.untilPhase('environment', 'Succeeded');
    // 10.x.y.z in the API is 127.x.y.z for the process.
    const address = (pod.status?.podIP ?? '').replace(/^10\./, '127.');
    expect(await pods.logs('environment')).toBe(
      `http://${address}:8080|s3cret|green|${node.name}|environment|green-$(MISSING)\n`,
    );
  });

  test('finds its volumes by environment', async () => {
    const { namespace } = pods;
    await client.create(
      resources.configMaps,
      { metadata: { name: 'files' }, data: { 'a.txt': 'from a map' } },
      { namespace },
    );
    await client.create(
      resources.secrets,
      { metadata: { name: 'more' }, stringData: { 'b.txt': ', from a secret' } },
      { namespace },
    );
    await pods.create(
      aPod(
        'volumes',
        'cat $VOLUME_FILES/a.txt $VOLUME_MORE_FILES > $VOLUME_SCRATCH/both && cat $VOLUME_SCRATCH/both',
        {
          volumeMounts: [
            { name: 'files', mountPath: '/files' },
            { name: 'more-files', mountPath: '/more', subPath: 'renamed.txt' },
            { name: 'scratch', mountPath: '/scratch' },
          ],
        },
        {
          restartPolicy: 'Never',
          volumes: [
            { name: 'files', configMap: { name: 'files' } },
            { name: 'more-files', secret: { secretName: 'more', items: [{ key: 'b.txt', path: 'renamed.txt' }] } },
            { name: 'scratch', emptyDir: {} },
          ],
        },
      ),
    );
    await pods.untilPhase('volumes', 'Succeeded');
    expect(await pods.logs('volumes')).toBe('from a map, from a secret\n');
  });

  test('with a volume that cannot be had stays Pending, and an event names it', async () => {
    await pods.create(
      aPod('claim', 'true', {}, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] }),
    );
    const event = await pods.untilEvent('claim', 'FailedMount');
    expect(event).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining('persistentVolumeClaim') as string,
    });
    expect((await pods.get('claim')).status?.phase).toBe('Pending');
  });

  test('without its Secret waits, says so, and starts once it is there', async () => {
    const { namespace } = pods;
    const env = [{ name: 'T', valueFrom: { secretKeyRef: { name: 'late', key: 't' } } }];
    await pods.create(aPod('late', 'echo $T; sleep 600', { env }));
    const event = await pods.untilEvent('late', 'Failed');
    expect(event.message).toBe('Error: secret "late" not found');
    await pods.until(
      'late',
      'says why',
      (pod) => containerOf(pod)?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
    await client.create(resources.secrets, { metadata: { name: 'late' }, stringData: { t: 'now' } }, { namespace });
    await pods.untilReady('late');
  });

  test('without a command is refused by name, because no image is pulled', async () => {
    const pod = aPod('image', 'true');
    if (pod.spec?.containers[0]) delete pod.spec.containers[0].command;
    await pods.create(pod);
    const event = await pods.untilEvent('image', 'Failed');
    expect(event.message).toContain('container "main" has no command');
  });

  test('runs its init containers one after the other before the others', async () => {
    const init = (name: string, script: string) => ({ name, image: 'x', command: ['sh', '-c', script] });
    await pods.create(
      aPod(
        'init',
        'cat $VOLUME_S/log; sleep 600',
        { volumeMounts: [{ name: 's', mountPath: '/s' }] },
        {
          volumes: [{ name: 's', emptyDir: {} }],
          initContainers: [
            { ...init('one', 'sleep 0.3; echo one >> $VOLUME_S/log'), volumeMounts: [{ name: 's', mountPath: '/s' }] },
            { ...init('two', 'echo two >> $VOLUME_S/log'), volumeMounts: [{ name: 's', mountPath: '/s' }] },
          ],
        },
      ),
    );
    const pod = await pods.untilReady('init');
    await eventually(async () => (await pods.logs('init')) === 'one\ntwo\n');
    expect(pod.status?.initContainerStatuses?.map((s) => s.state?.terminated?.reason)).toEqual([
      'Completed',
      'Completed',
    ]);
    expect(conditionOf(pod, 'Initialized')).toBe('True');
  });

  test.each([
    ['Succeeded', 'exit 0', 0],
    ['Failed', 'exit 7', 7],
    ['Failed', 'kill -9 $$$$', 137],
  ])('that never restarts ends as %s after "%s"', async (phase, script, exitCode) => {
    const name = `ends-${exitCode}`;
    await pods.create(aPod(name, script, {}, { restartPolicy: 'Never' }));
    const pod = await pods.untilPhase(name, phase);
    expect(containerOf(pod)?.state?.terminated).toMatchObject({
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
    });
  });

  test('that crashes again and again is restarted with growing delays, shown and told as kubelet does', async () => {
    await pods.create(aPod('crash', 'echo dying; exit 3'));
    const pod = await pods.until('crash', 'is in back-off after three restarts', (p) => {
      const status = containerOf(p);
      return (status?.restartCount ?? 0) >= 3 && status?.state?.waiting?.reason === 'CrashLoopBackOff';
    });
    expect(containerOf(pod)).toMatchObject({
      ready: false,
      state: {
        waiting: {
          message: expect.stringMatching(/^back-off .* restarting failed container=main pod=crash_/) as string,
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    const event = await pods.untilEvent('crash', 'BackOff', (e) => (e.count ?? 0) >= 2);
    const described = `crash_${pods.namespace}(${pod.metadata?.uid})`;
    expect(event).toMatchObject({
      type: 'Warning',
      message: `Back-off restarting failed container main in pod ${described}`,
      source: { component: 'kubelet' },
    });
    expect(await pods.logs('crash', { previous: true })).toBe('dying\n');
  });
});
