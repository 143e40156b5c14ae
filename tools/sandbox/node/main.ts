import { rmSync } from 'node:fs';
import { KubernetesClient } from '@keelson/kubernetes';
import { ProcessLedger } from './containers/ledger.ts';
import { EventRecorder } from './events/recorder.ts';
import { KubeletPort } from './kubelet-port.ts';
import { nodeResource } from './kubernetes-objects.ts';
import { AddressPool, nodeAddress, podCidr, rangeOfCidr } from './network/addresses.ts';
import { parseOptions, usage, type NodeOptions } from './options.ts';
import { Binder } from './pods/binder.ts';
import type { NodeContext } from './pods/context.ts';
import { PodManager } from './pods/manager.ts';
import { Registration } from './registration.ts';
import { openStateDir } from './state-dir.ts';

/** How long the pods' processes have to end when the node itself is stopped. */
const SHUTDOWN_GRACE_MS = 5000;

const warn = (message: string): void => {
  process.stderr.write(`sandbox node: ${message}\n`);
};

async function run(options: NodeOptions): Promise<() => Promise<void>> {
  const client = KubernetesClient.fromKubeconfig(options.kubeconfig);
  const { name } = options;
  const { path: stateDir, temporary } = openStateDir(options.stateDir);
  const ledger = new ProcessLedger(stateDir);
  const ended = ledger.endEarlier();
  if (ended > 0) warn(`ended ${ended} process group(s) that an earlier run had left behind`);

  const former = await client.find(nodeResource, { name });
  const port = await KubeletPort.claim(name, rangeOfCidr(former?.spec?.podCIDR), new Date());
  const { range } = port;
  const registration = new Registration({
    client,
    name,
    address: nodeAddress(range),
    port: port.port,
    cidr: podCidr(range),
    maxPods: options.maxPods,
    heartbeatMs: options.heartbeatMs,
    namespaces: options.namespaces,
    warn,
  });
  const recorder = new EventRecorder({ client, nodeName: name, onError: warn });
  const context: NodeContext = {
    client,
    nodeName: name,
    hostIp: nodeAddress(range),
    stateDir,
    limits: { baseMs: options.crashLoopBaseMs, maxMs: options.crashLoopMaxMs },
    retryMs: options.retryMs,
    recorder,
    ledger,
    addresses: new AddressPool(range),
    warn,
  };
  const pods = new PodManager(context);
  const binder = options.schedules ? new Binder({ client, nodeName: name, pods: pods.informer, warn }) : undefined;
  port.serve((namespace, pod) => pods.find(namespace, pod));
  await registration.start();
  // As kubelet does, events about the node carry its name as uid.
  recorder.record({ kind: 'Node', metadata: { name, uid: name } }, 'Normal', 'Starting', 'Starting the sandbox node.');
  await pods.start();
  await binder?.start();
  process.stdout.write(
    `${JSON.stringify({ ready: true, node: name, address: port.address, port: port.port, podCIDR: podCidr(range), stateDir })}\n`,
  );
  return async () => {
    await binder?.stop();
    await pods.stop(SHUTDOWN_GRACE_MS);
    await recorder.flush();
    recorder.stop();
    await registration.stop({ deletes: options.deletesNode }).catch((error: unknown) => {
      // The API may have gone first, as when a whole stack stops.
      warn(`could not mark the node not ready: ${(error as Error).message}`);
    });
    port.stop();
    client.close();
    if (temporary) rmSync(stateDir, { recursive: true, force: true });
  };
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
  } else {
    let stop: (() => Promise<void>) | undefined;
    let asked = false;
    const end = (): void => {
      if (asked) return;
      asked = true;
      // An API that does not answer any more must not keep us.
      setTimeout(() => process.exit(0), SHUTDOWN_GRACE_MS + 5000).unref();
      void (stop?.() ?? Promise.resolve()).finally(() => process.exit(0));
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    stop = await run(options);
  }
} catch (error) {
  process.stderr.write(`sandbox node: ${(error as Error).message}\n`);
  process.exit(1);
}
