import { availableParallelism, arch, release, totalmem } from 'node:os';
import { isAlreadyExists, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import { nodeResource, type Condition, type Node } from './kubernetes-objects.ts';
import { NAMESPACES_ANNOTATION } from './pods/binding.ts';

/** A Lease this long unrenewed means that the node is dead; as kubelet. */
const LEASE_SECONDS = 40;
/** The status is repeated this often although nothing changed. */
const STATUS_MS = 60_000;

/** The Node object and its Lease: created at the start, kept alive by heartbeats, marked not ready at the end. */
export class Registration {
  readonly #client: KubernetesClient;
  readonly #name: string;
  readonly #address: string;
  readonly #port: number;
  readonly #cidr: string;
  readonly #maxPods: number;
  readonly #heartbeatMs: number;
  readonly #namespaces: readonly string[];
  readonly #warn: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #statusAt = 0;
  #uid = '';
  #stopped = false;

  constructor(options: {
    client: KubernetesClient;
    name: string;
    address: string;
    port: number;
    cidr: string;
    maxPods: number;
    heartbeatMs: number;
    namespaces: readonly string[];
    warn: (message: string) => void;
  }) {
    this.#client = options.client;
    this.#name = options.name;
    this.#address = options.address;
    this.#port = options.port;
    this.#cidr = options.cidr;
    this.#maxPods = options.maxPods;
    this.#heartbeatMs = options.heartbeatMs;
    this.#namespaces = options.namespaces;
    this.#warn = options.warn;
  }

  /** Creates or takes over the Node object. Throws what the API says. */
  async start(): Promise<void> {
    let node = await this.#client.find(nodeResource, { name: this.#name });
    if (node !== undefined && node.spec?.podCIDR !== undefined && node.spec.podCIDR !== this.#cidr) {
      // podCIDR cannot be changed, and the former range is taken by another cluster's node on this machine.
      await this.#client.delete(nodeResource, { name: this.#name });
      node = undefined;
    }
    node ??= await this.#create();
    if (node.spec?.podCIDR === undefined) {
      const spec = { podCIDR: this.#cidr, podCIDRs: [this.#cidr] };
      node = await this.#client.patch(nodeResource, { spec }, { name: this.#name });
    }
    this.#uid = node.metadata.uid ?? '';
    const annotations = { [NAMESPACES_ANNOTATION]: this.#namespaces.length > 0 ? this.#namespaces.join(',') : null };
    await this.#client.patch(nodeResource, { metadata: { annotations } }, { name: this.#name });
    await this.#heartbeat();
    this.#schedule();
  }

  /** Marks the node not ready, so that nobody counts on it, or deletes it. */
  async stop(how: { deletes: boolean }): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (how.deletes) {
      await this.#client.delete(nodeResource, { name: this.#name });
      return;
    }
    await this.#writeStatus('False', 'NodeShutdown', 'the sandbox node was stopped');
  }

  get uid(): string {
    return this.#uid;
  }

  async #create(): Promise<Node> {
    const node: Node = {
      metadata: {
        name: this.#name,
        labels: {
          'kubernetes.io/hostname': this.#name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
          'keelson.dev/sandbox': 'node',
        },
      },
      spec: { podCIDR: this.#cidr, podCIDRs: [this.#cidr] },
    };
    try {
      return await this.#client.create(nodeResource, node);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return this.#client.get(nodeResource, { name: this.#name });
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#heartbeat()
        .catch((error: unknown) => {
          this.#warn(`heartbeat: ${(error as Error).message}`);
        })
        .finally(() => {
          this.#schedule();
        });
    }, this.#heartbeatMs);
  }

  async #heartbeat(): Promise<void> {
    if (Date.now() - this.#statusAt >= STATUS_MS) {
      await this.#writeStatus('True', 'KubeletReady', 'kubelet is posting ready status');
      this.#statusAt = Date.now();
    }
    await this.#renewLease();
  }

  async #renewLease(): Promise<void> {
    const at = { namespace: 'kube-node-lease', name: this.#name };
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: this.#name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    try {
      await this.#client.patch(resources.leases, { spec }, at);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const owner = { apiVersion: 'v1', kind: 'Node', name: this.#name, uid: this.#uid };
      await this.#client.create(resources.leases, { metadata: { ...at, ownerReferences: [owner] }, spec }, at);
    }
  }

  async #writeStatus(ready: 'True' | 'False', reason: string, message: string): Promise<void> {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const current = await this.#client.get(nodeResource, { name: this.#name });
    const condition = (
      type: string,
      status: string,
      why: string,
      text: string,
    ): Condition & { lastHeartbeatTime: string } => {
      const before = current.status?.conditions?.find((c) => c.type === type);
      const since = before?.status === status ? before.lastTransitionTime : undefined;
      return { type, status, reason: why, message: text, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
    };
    const resourcesOfNode = {
      cpu: String(availableParallelism()),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      'ephemeral-storage': '10Gi',
      pods: String(this.#maxPods),
    };
    const status = {
      addresses: [{ type: 'InternalIP', address: this.#address }],
      capacity: resourcesOfNode,
      allocatable: resourcesOfNode,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', ready, reason, message),
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: this.#port } },
      nodeInfo: {
        machineID: '',
        systemUUID: '',
        bootID: '',
        kernelVersion: release(),
        osImage: 'processes of this machine',
        containerRuntimeVersion: 'process://1.0.0',
        kubeletVersion: 'v1.34.0-keelson-sandbox',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: arch() === 'x64' ? 'amd64' : arch(),
      },
    };
    await this.#client.patchStatus(nodeResource, { status }, { name: this.#name });
  }
}
