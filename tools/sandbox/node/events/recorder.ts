import { eventName, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import type { ObjectMeta } from '../kubernetes-objects.ts';
import { EventAggregator, type EventWrite, type NewEvent } from './aggregate.ts';

/** The object that an event is about. */
export type Involved = { kind: 'Pod' | 'Node'; metadata: ObjectMeta; fieldPath?: string };

type Queued = { event: NewEvent; involved: Involved; at: number };

/** More waiting events than this are dropped, oldest first: the API has been away for long. */
const MAX_QUEUE = 2000;

/** Writes Events as kubelet does, in order, in the background; equal ones raise a count instead. */
export class EventRecorder {
  readonly #client: KubernetesClient;
  readonly #nodeName: string;
  readonly #aggregator = new EventAggregator();
  readonly #queue: Queued[] = [];
  readonly #onError: (message: string) => void;
  #draining: Promise<void> | undefined;
  #stopped = false;

  constructor(options: { client: KubernetesClient; nodeName: string; onError: (message: string) => void }) {
    this.#client = options.client;
    this.#nodeName = options.nodeName;
    this.#onError = options.onError;
  }

  record(involved: Involved, type: NewEvent['type'], reason: string, message: string): void {
    const { metadata } = involved;
    this.#queue.push({
      involved,
      at: Date.now(),
      event: {
        involvedUid: metadata.uid ?? '',
        involvedKind: involved.kind,
        // Events about cluster-wide objects live in the default namespace.
        namespace: metadata.namespace ?? 'default',
        name: metadata.name,
        ...(involved.fieldPath !== undefined && { fieldPath: involved.fieldPath }),
        type,
        reason,
        // The API's limit is 1024 bytes.
        message: message.length > 1000 ? `${message.slice(0, 1000)}...` : message,
      },
    });
    if (this.#queue.length > MAX_QUEUE) this.#queue.shift();
    this.#draining ??= this.#drain();
  }

  /** Waits until everything recorded so far is written (or given up). */
  async flush(): Promise<void> {
    await this.#draining;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #drain(): Promise<void> {
    // Begin in a later turn: the assignment to #draining comes first.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const write = this.#aggregator.record(next.event, next.at);
      for (let attempt = 0; !this.#stopped && attempt < 5; attempt++) {
        try {
          await this.#write(next, write);
          break;
        } catch (error) {
          this.#onError(`event ${next.event.reason} of ${next.event.name}: ${(error as Error).message}`);
          // The namespace is being deleted, or the event is refused: another attempt would not help.
          const status = (error as { status?: number }).status ?? 0;
          if (status >= 400 && status < 500 && status !== 429) break;
          await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
        }
      }
    }
    this.#draining = undefined;
  }

  async #write(queued: Queued, write: EventWrite): Promise<void> {
    const { namespace, name } = queued.event;
    if (write.kind === 'update') {
      try {
        await this.#client.patch(
          resources.events,
          { count: write.count, lastTimestamp: seconds(queued.at), message: write.message },
          { namespace, name: write.eventName },
        );
        return;
      } catch (error) {
        // Events live for an hour: the first one may be gone.
        if (!isNotFound(error)) throw error;
      }
    }
    const fresh = eventName(name, queued.at);
    await this.#client.create(resources.events, this.#body(queued, write, fresh), { namespace });
    this.#aggregator.stored(write.key, fresh);
  }

  #body({ event, involved, at }: Queued, write: EventWrite, ownName: string) {
    const { metadata, kind, fieldPath } = involved;
    return {
      metadata: { name: ownName, namespace: event.namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind,
        name: metadata.name,
        ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
        ...(metadata.uid !== undefined && { uid: metadata.uid }),
        ...(metadata.resourceVersion !== undefined && kind === 'Pod' && { resourceVersion: metadata.resourceVersion }),
        ...(fieldPath !== undefined && { fieldPath }),
      },
      type: event.type,
      reason: event.reason,
      message: write.message,
      source: { component: 'kubelet', host: this.#nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: this.#nodeName,
      firstTimestamp: seconds(write.firstAt),
      lastTimestamp: seconds(at),
      count: write.count,
    };
  }
}

const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
