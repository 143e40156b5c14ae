import { Kafka, logLevel, type Producer } from 'kafkajs';
import type { KafkaMessage, KafkaProducer } from './producer.ts';

/** {@link KafkaProducer} over kafkajs, idempotent; connects at the first message and again after a failure. */
export class KafkaJsProducer implements KafkaProducer {
  readonly #producer: Producer;
  #connected: Promise<void> | undefined;

  constructor(options: { brokers: readonly string[]; clientId: string }) {
    const kafka = new Kafka({
      brokers: [...options.brokers],
      clientId: options.clientId,
      logLevel: logLevel.NOTHING, // failures come back as outcomes
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      // Our own cursor retries, with its own pace and for ever; kafkajs would only hold the batch back.
      retry: { retries: 2, initialRetryTime: 100 },
    });
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: true });
  }

  async send(topic: string, messages: readonly KafkaMessage[]): Promise<void> {
    this.#connected ??= this.#producer.connect();
    try {
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
    await this.#producer.send({
      topic,
      acks: -1,
      messages: messages.map((message) => ({ ...message, headers: { ...message.headers } })),
    });
  }

  async close(): Promise<void> {
    if (this.#connected) await this.#producer.disconnect();
  }
}
