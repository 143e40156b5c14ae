import type { JournalEntry } from '../../journal/entry.ts';
import { DELIVERED, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { kubeEventerMessage } from './kube-eventer.ts';
import type { KafkaProducer } from './producer.ts';

/** Kafka's default `message.max.bytes`; what is larger no broker takes without being told to. */
const MESSAGE_LIMIT = 1_048_576;

/** Writes events in kube-eventer's JSON, in order for each object; acks=all. */
export class KafkaSink implements Sink {
  readonly kind = 'kafka';
  readonly batchSize = 200;
  readonly #producer: KafkaProducer;
  readonly #topic: string;

  constructor(options: { producer: KafkaProducer; topic: string }) {
    this.#producer = options.producer;
    this.#topic = options.topic;
  }

  async deliver(entries: readonly JournalEntry[]): Promise<readonly Outcome[]> {
    const messages = entries.map((entry) => ({
      key: entry.object.uid ?? `${entry.object.namespace ?? ''}/${entry.object.kind}/${entry.object.name}`,
      value: kubeEventerMessage(entry),
      headers: { 'keelson-event-id': entry.id },
    }));
    const fits = messages.map((message) => Buffer.byteLength(message.value) < MESSAGE_LIMIT - 1024);
    try {
      const sendable = messages.filter((_, index) => fits[index]);
      if (sendable.length > 0) await this.#producer.send(this.#topic, sendable);
    } catch (error) {
      return [retryAfter(error)];
    }
    return fits.map((fit): Outcome =>
      fit ? DELIVERED : { kind: 'rejected', reason: `larger than Kafka's ${MESSAGE_LIMIT} bytes` },
    );
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}
