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

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help || !values.kubeconfig) {
  console.error('usage: main.ts --kubeconfig FILE');
  process.exit(values.help ? 0 : 2);
}

const log = (text: string): void => console.error(`workloads: ${text}`);
const client = KubernetesClient.fromKubeconfig(values.kubeconfig);

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
