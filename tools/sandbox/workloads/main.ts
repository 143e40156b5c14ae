/**
 * The sandbox's workload controllers: Deployments to ReplicaSets to Pods, Services to EndpointSlices. A plain client
 * of the Kubernetes API: `node --conditions=keelson-source main.ts --kubeconfig FILE`. Prints `{"ready":true}` once
 * it has seen the cluster; SIGTERM and SIGINT end it.
 */
import { Informer, KubernetesClient, type KubernetesObject, type Resource, resources } from '@keelson/kubernetes';
import { parseArgs } from 'node:util';

import { DeploymentController } from './deployments/controller.ts';
import { EndpointSliceController } from './endpoints/controller.ts';
import type { DeploymentObject, EndpointSliceObject, PodObject, ReplicaSetObject, ServiceObject } from './objects.ts';
import { ReplicaSetController } from './replica-sets/controller.ts';

const usage = `usage: node --conditions=keelson-source tools/sandbox/workloads/main.ts --kubeconfig FILE

Deployments to ReplicaSets to Pods, Services to EndpointSlices. See tools/sandbox/README.md.

  --kubeconfig FILE  the cluster (required)
  --help             this text
`;

/** Says what is wrong in one line; a stack helps nobody who mistyped an option. */
function refuse(error: unknown): never {
  process.stderr.write(`sandbox workloads: ${(error as Error).message}\n`);
  process.exit(1);
}

function connect(argv: string[]): KubernetesClient {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    if (!values.kubeconfig) throw new Error('--kubeconfig is missing; it names the file of the cluster to work on');
    return KubernetesClient.fromKubeconfig(values.kubeconfig);
  } catch (error) {
    return refuse(error);
  }
}

const log = (text: string): void => console.error(`sandbox workloads: ${text}`);
const client = connect(process.argv.slice(2));

/** An informer of a resource, in the narrower type that the API server's defaulting gives it. */
const informer = <T extends object>(resource: Resource<never>): Informer<T & KubernetesObject> => {
  const narrowed: Resource<T & KubernetesObject> = resource;
  return new Informer<T & KubernetesObject>({ client, resource: narrowed });
};

const deployments = informer<DeploymentObject>(resources.deployments);
const replicaSets = informer<ReplicaSetObject>(resources.replicaSets);
const pods = informer<PodObject>(resources.pods);
const services = informer<ServiceObject>(resources.services);
const slices = informer<EndpointSliceObject>(resources.endpointSlices);
const nodes = informer<KubernetesObject>(resources.nodes);
const informers = [deployments, replicaSets, pods, services, slices, nodes];

// What is owned before its owners: a controller that starts must not see an owner without what it has.
for (const one of [pods, replicaSets, slices, nodes]) one.start();
await Promise.all([pods, replicaSets, slices, nodes].map((one) => one.synced));

const controllers = [
  new DeploymentController(client, { deployments, replicaSets, pods }, log),
  new ReplicaSetController(client, { replicaSets, pods }, log),
  new EndpointSliceController(client, { services, pods, slices, nodes }, log),
];
deployments.start();
services.start();
await Promise.all(informers.map((one) => one.synced));
console.log(JSON.stringify({ ready: true, server: client.server }));

async function stop(): Promise<void> {
  for (const controller of controllers) controller.stop();
  await Promise.all(informers.map((one) => one.stop()));
  client.close();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
