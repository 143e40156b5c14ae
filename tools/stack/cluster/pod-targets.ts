import { Informer, resources, type KubernetesClient, type Pod } from '@keelson/kubernetes';
import { renameSync, writeFileSync } from 'node:fs';

/**
 * Keeps a file of scrape targets for Prometheus' file_sd: the pods that ask for it by the usual annotations. Debian's
 * Prometheus is built without Kubernetes discovery; in a real cluster deploy/monitoring uses that.
 */
export class PodTargets {
  readonly #file: string;
  readonly #pods: Informer<Pod>;
  #written = '';

  constructor(options: { client: KubernetesClient; namespace: string; file: string }) {
    this.#file = options.file;
    this.#pods = new Informer<Pod>({ client: options.client, resource: resources.pods, namespace: options.namespace });
    this.#pods.onChange(() => this.#write());
    this.#write();
  }

  start(): void {
    this.#pods.start();
  }

  async stop(): Promise<void> {
    await this.#pods.stop();
  }

  #write(): void {
    const text = JSON.stringify(this.#pods.list().flatMap((pod) => targetOf(pod)));
    if (text === this.#written) return;
    this.#written = text;
    // Prometheus reads at any moment: the file must never be half-written.
    writeFileSync(`${this.#file}.new`, text);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function targetOf(pod: Pod): { targets: string[]; labels: Record<string, string> }[] {
  const { annotations = {}, labels = {}, namespace = '', name = '' } = pod.metadata ?? {};
  const ip = pod.status?.podIP;
  const port = annotations['prometheus.io/port'];
  if (annotations['prometheus.io/scrape'] !== 'true' || ip === undefined || port === undefined) return [];
  if (pod.status?.phase !== 'Running') return [];
  return [
    {
      // The pod network of the sandbox: 10.a.b.c in the API is 127.a.b.c on this machine.
      targets: [`${ip.replace(/^10\./, '127.')}:${port}`],
      labels: { namespace, pod: name, app: labels['app'] ?? '', version: labels['version'] ?? '' },
    },
  ];
}
