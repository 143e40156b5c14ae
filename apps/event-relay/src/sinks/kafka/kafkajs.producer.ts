import type { Producer } from 'kafkajs';
import { TooLargeForKafka, type KafkaMessage, type KafkaProducer } from './producer.ts';

/** {@link KafkaProducer} over kafkajs, idempotent; connects at the first message and anew after a failure. */
export class KafkaJsProducer implements KafkaProducer {
  readonly #options: { readonly brokers: readonly string[]; readonly clientId: string };
  #producer: Promise<Producer> | undefined;

  constructor(options: { brokers: readonly string[]; clientId: string }) {
    this.#options = options;
  }

  async send(topic: string, messages: readonly KafkaMessage[]): Promise<void> {
    const used = (this.#producer ??= this.#connect());
    try {
      const producer = await used;
      await producer.send({
        topic,
        acks: -1,
        messages: messages.map((message) => ({ ...message, headers: { ...message.headers } })),
      });
    } catch (error) {
      // A producer that failed has lost count of its sequence numbers, and the broker refuses all it sends from then on.
      if (this.#producer === used) this.#producer = undefined;
      void used.then((producer) => producer.disconnect()).catch(() => undefined); // its connection is given up anyway
      throw isTooLarge(error) ? new TooLargeForKafka((error as Error).message, { cause: error }) : error;
    }
  }

  async close(): Promise<void> {
    const used = this.#producer;
    this.#producer = undefined;
    await used?.then((producer) => producer.disconnect()).catch(() => undefined); // not connected: nothing to close
  }

  async #connect(): Promise<Producer> {
    // Loaded with the first message: a relay that writes to no Kafka does not keep the library in memory.
    const { Kafka, logLevel } = await import('kafkajs');
    const kafka = new Kafka({
      brokers: [...this.#options.brokers],
      clientId: this.#options.clientId,
      logLevel: logLevel.NOTHING, // failures come back as outcomes
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      // Our own cursor retries, with its own pace and for ever; kafkajs would only hold the batch back.
      retry: { retries: 2, initialRetryTime: 100 },
    });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: true });
    await producer.connect();
    return producer;
  }
}

/** kafkajs names the broker's error code in `type`, at times below `cause`. */
function isTooLarge(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause)
    if ((current as { type?: unknown }).type === 'MESSAGE_TOO_LARGE') return true;
  return false;
}
