import { resources, type CoreEvent, type KubernetesClient, type Pod } from '@keelson/kubernetes';
import { eventually } from '@keelson/testing';

type Spec = NonNullable<Pod['spec']>;
type Container = Spec['containers'][number];

/** A pod with one container `main` that runs a shell script; without a token, which no process here could find. */
export function aPod(name: string, script: string, container: Partial<Container> = {}, spec: Partial<Spec> = {}): Pod {
  return {
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'example.test/main:1', command: ['sh', '-c', script], ...container }],
      ...spec,
    },
  };
}

/** What tests ask of the pods of one namespace. */
export class Pods {
  readonly client: KubernetesClient;
  readonly namespace: string;

  constructor(client: KubernetesClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  create(pod: Pod): Promise<Pod> {
    return this.client.create(resources.pods, pod, { namespace: this.namespace });
  }

  get(name: string): Promise<Pod> {
    return this.client.get(resources.pods, { namespace: this.namespace, name });
  }

  find(name: string): Promise<Pod | undefined> {
    return this.client.find(resources.pods, { namespace: this.namespace, name });
  }

  delete(name: string, gracePeriodSeconds?: number): Promise<unknown> {
    return this.client.delete(resources.pods, { namespace: this.namespace, name, gracePeriodSeconds });
  }

  until(name: string, what: string, accepts: (pod: Pod) => boolean, withinMs = 60_000): Promise<Pod> {
    return eventually(
      async () => {
        const pod = await this.get(name);
        if (!accepts(pod)) throw new Error(JSON.stringify(pod.status));
        return pod;
      },
      { withinMs, everyMs: 50, describe: `pod ${name} ${what}` },
    );
  }

  untilReady(name: string): Promise<Pod> {
    return this.until(name, 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True');
  }

  untilPhase(name: string, phase: string): Promise<Pod> {
    return this.until(name, `is ${phase}`, (pod) => pod.status?.phase === phase);
  }

  untilGone(name: string, withinMs = 60_000): Promise<true> {
    return eventually(async () => (await this.find(name)) === undefined, { withinMs, describe: `pod ${name} is gone` });
  }

  logs(name: string, options: { container?: string; tailLines?: number; previous?: boolean } = {}): Promise<string> {
    return this.client.logs({ namespace: this.namespace, name, ...options });
  }

  async events(name: string): Promise<CoreEvent[]> {
    const { items } = await this.client.list(resources.events, {
      namespace: this.namespace,
      fieldSelector: `involvedObject.name=${name}`,
    });
    return items;
  }

  untilEvent(name: string, reason: string, accepts: (event: CoreEvent) => boolean = () => true): Promise<CoreEvent> {
    return eventually(
      async () => {
        const events = await this.events(name);
        const found = events.find((event) => event.reason === reason && accepts(event));
        if (found === undefined) throw new Error(events.map((e) => `${e.reason} ${e.count} ${e.message}`).join('; '));
        return found;
      },
      { everyMs: 100, describe: `event ${reason} of ${name}` },
    );
  }
}

export const conditionOf = (pod: Pod, type: string): string | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type)?.status;

export const containerOf = (pod: Pod, name = 'main') =>
  pod.status?.containerStatuses?.find((status) => status.name === name);
