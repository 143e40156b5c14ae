import type { KubernetesClient } from '@keelson/kubernetes';
import { apply, deploymentReady } from './apply.ts';
import {
  SHARED_ROLES,
  sharedManifests,
  versionManifests,
  versionName,
  type OrderDemoOptions,
} from './order-demo.manifests.ts';

/** Deploys order-demo v1, each role a Deployment; resolves when all of them are ready. */
export async function deployOrderDemo(
  client: KubernetesClient,
  options: OrderDemoOptions,
  waitingFor: (what: string) => void,
): Promise<void> {
  await apply(client, [...versionManifests(options, { version: 'v1' }), ...sharedManifests(options, 'v1')]);
  for (const name of [versionName('v1'), ...SHARED_ROLES.map((role) => `order-demo-${role}`)]) {
    waitingFor(`Deployment ${name}`);
    await deploymentReady(client, name, 90_000);
  }
}
