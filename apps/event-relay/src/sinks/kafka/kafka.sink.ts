import type { JournalEntry } from '../../journal/entry.ts';
import { DELIVERED, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { kubeEventerMessage } from './kube-eventer.ts';
import { TooLargeForKafka, type KafkaMessage, type KafkaProducer } from './producer.ts';

/**
 * What is sent together, bytes. Kafka's default `message.max.bytes` (1,048,588) limits a whole batch, and all messages of a
 * partition are one; keys, headers and framing take some of it. A single message may be larger: that is the broker's to say.
 */
const BATCH_BYTES = 900_000;

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
    let messages = together(entries.map(toMessage));
    for (;;) {
      try {
        await this.#producer.send(this.#topic, messages);
        return messages.map(() => DELIVERED);
      } catch (error) {
        if (!(error instanceof TooLargeForKafka)) return [retryAfter(error)];
        if (messages.length === 1) return [{ kind: 'rejected', reason: `too large for Kafka: ${error.message}` }];
        messages = messages.slice(0, Math.ceil(messages.length / 2));
      }
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

function toMessage(entry: JournalEntry): KafkaMessage {
  return {
    key: entry.object.uid ?? `${entry.object.namespace ?? ''}/${entry.object.kind}/${entry.object.name}`,
    value: kubeEventerMessage(entry),
    headers: { 'keelson-event-id': entry.id },
  };
}

/** As many from the first on as fit into one batch; one at least. */
function together(messages: readonly KafkaMessage[]): readonly KafkaMessage[] {
  let bytes = 0;
  const end = messages.findIndex((message) => (bytes += Buffer.byteLength(message.value) + 200) > BATCH_BYTES);
  return end === -1 ? messages : messages.slice(0, Math.max(1, end));
}
