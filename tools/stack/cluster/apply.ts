import { apiVersionOf, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import { eventually } from '@keelson/testing';
import { NAMESPACE, type Manifest } from './order-demo.manifests.ts';

const FIELD_MANAGER = 'keelson-stack';

/** Applies manifests as a user would with `kubectl apply --server-side`. */
export async function apply(client: KubernetesClient, manifests: readonly Manifest[]): Promise<void> {
  for (const { resource, object } of manifests) {
    const outcome = await client.apply(resource, object, { fieldManager: FIELD_MANAGER, force: true });
    if (outcome.kind === 'conflict') throw new Error(`conflict on ${resource.kind}: ${JSON.stringify(outcome.causes)}`);
  }
}

/** Makes the namespace of the demo, and one service account's default if the cluster does not by itself. */
export async function ensureNamespace(client: KubernetesClient): Promise<void> {
  const object = { apiVersion: apiVersionOf(resources.namespaces), kind: 'Namespace', metadata: { name: NAMESPACE } };
  await client.apply(resources.namespaces, object, { fieldManager: FIELD_MANAGER });
}

/** Resolves when every pod that the Deployment wants is ready; throws with where it stands after `withinMs`. */
export async function deploymentReady(client: KubernetesClient, name: string, withinMs = 60_000): Promise<void> {
  await eventually(
    async () => {
      const deployment = await client.get(resources.deployments, { namespace: NAMESPACE, name });
      const { replicas = 1 } = deployment.spec ?? {};
      const { readyReplicas = 0, observedGeneration = 0 } = deployment.status ?? {};
      if (observedGeneration < (deployment.metadata?.generation ?? 0) || readyReplicas < replicas) {
        throw new Error(`Deployment ${name}: ${readyReplicas} of ${replicas} pods are ready`);
      }
      return true;
    },
    { withinMs, describe: `Deployment ${name} ready` },
  );
}

/** Whether an object is there. */
export async function exists(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
