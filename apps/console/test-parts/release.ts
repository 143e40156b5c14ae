import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually } from '@keelson/testing';
import type { CanarySpec } from '@keelson/contracts';
import type { Platform } from './platform.ts';

const NAMESPACE = 'shop';
/** The Ingress, host and path that `npm start` serves orders under. */
const ROUTE = { ingress: 'shop', host: 'localhost', path: '/' };

/** Releases `version` beside the one that `npm start` began with: a copy of its Deployment and Service. */
export async function deployVersion({ kubeconfig }: Platform, version: string): Promise<void> {
  const client = KubernetesClient.fromKubeconfig(kubeconfig);
  const [from, name] = ['order-demo-v1', `order-demo-${version}`];
  const [deployment, service] = await Promise.all([
    client.get(resources.deployments, { namespace: NAMESPACE, name: from }),
    client.get(resources.services, { namespace: NAMESPACE, name: from }),
  ]);
  const renamed = (object: unknown): unknown =>
    JSON.parse(JSON.stringify(object).replaceAll(from, name).replaceAll('"value":"v1"', `"value":"${version}"`));
  const apply = async (resource: Parameters<KubernetesClient['apply']>[0], object: object): Promise<void> => {
    const outcome = await client.apply(resource, object, { fieldManager: 'console-test', force: true });
    if (outcome.kind === 'conflict') throw new Error(JSON.stringify(outcome.causes));
  };
  const metadata = { namespace: NAMESPACE, name };
  const { ports, selector } = service.spec ?? {};
  await apply(resources.deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: renamed(deployment.spec) as object,
  });
  await apply(resources.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports, selector: renamed(selector) as object },
  });
  await eventually(
    async () => {
      const { status } = await client.get(resources.deployments, metadata);
      return (status?.readyReplicas ?? 0) > 0;
    },
    { withinMs: 120_000, everyMs: 500, describe: `a ready pod of ${name}` },
  );
}

/** A release that waits for a person at its first step, and that a slow machine does not fail. */
export function waitingSpec(version: string, firstWeight: number): CanarySpec {
  const names = (one: string) => ({ deployment: `order-demo-${one}`, service: `order-demo-${one}` });
  return {
    stable: names('v1'),
    canary: names(version),
    route: ROUTE,
    steps: [
      { weight: firstWeight, holdSeconds: 1, pause: true },
      { weight: 100, holdSeconds: 600, pause: false },
    ],
    analysis: {
      intervalSeconds: 1,
      successRate: { min: 0.5, minSample: 3 },
      warningEvents: { max: 1_000, ignoreReasons: [] },
      failureLimit: 100,
      inconclusiveLimitSeconds: 600,
    },
  };
}

/** Orders all the time, by way of the console's server, until it is stopped. */
export function customers({ consoleUrl, token }: Platform): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const order = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await fetch(`${consoleUrl}/api/orders/v1/orders`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
        },
        body: JSON.stringify({ customer: 'test', phone: '+4930123456', lines: [{ sku: 'SKU-001', quantity: 1 }] }),
      }).then((answer) => answer.body?.cancel());
      await pause(100, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const ordering = order();
  return {
    stop: async () => {
      stopping.abort();
      await ordering;
    },
  };
}
