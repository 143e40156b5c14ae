import { pause } from '../backoff.ts';
import type { KubernetesClient } from '../client.ts';
import { resources, type CustomResourceDefinition } from '../resources.ts';
import { canaryCustomResourceDefinition } from './custom-resource-definition.ts';

export type InstallOptions = {
  /** Default: the Canary's. */
  definition?: CustomResourceDefinition;
  /** For it to be served. Default 30 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

const fieldManager = 'keelson-install';

/**
 * Applies a custom resource definition and waits until the API server serves it (condition Established). Safe to
 * call from several replicas and again. Throws with the API server's words when it is refused or its names are taken.
 */
export async function installCustomResourceDefinition(
  client: KubernetesClient,
  options: InstallOptions = {},
): Promise<CustomResourceDefinition> {
  const { definition = canaryCustomResourceDefinition, timeoutMs = 30_000, signal } = options;
  const name = definition.metadata?.name ?? '';
  const outcome = await client.apply(resources.customResourceDefinitions, definition, {
    fieldManager,
    force: true,
    signal,
  });
  if (outcome.kind === 'conflict')
    throw new Error(`custom resource definition ${name}: ${JSON.stringify(outcome.causes)}`);
  const deadline = performance.now() + timeoutMs;
  let current = outcome.object;
  for (;;) {
    const refused = conditionOf(current, 'NamesAccepted');
    if (refused?.status === 'False')
      throw new Error(`custom resource definition ${name}: ${refused.message ?? refused.reason}`);
    if (conditionOf(current, 'Established')?.status === 'True') return current;
    if (performance.now() >= deadline) {
      throw new Error(`custom resource definition ${name} was not established within ${timeoutMs} ms`);
    }
    await pause(50, signal);
    signal?.throwIfAborted();
    current = await client.get(resources.customResourceDefinitions, { name, signal });
  }
}

type Condition = { type: string; status: string; reason?: string; message?: string };

function conditionOf(definition: CustomResourceDefinition, type: string): Condition | undefined {
  return definition.status?.conditions?.find((condition) => condition.type === type);
}
