/** A message on its way to Kafka. */
export interface KafkaMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The broker's limit (`message.max.bytes` of the topic) is smaller than what was sent together. */
export class TooLargeForKafka extends Error {
  override readonly name = 'TooLargeForKafka';
}

/**
 * All that the Kafka sink needs of a client. A port of our own, because kafkajs is not maintained any more: another
 * client takes its place behind this, and nothing else changes.
 */
export interface KafkaProducer {
  /**
   * Resolves when all in-sync replicas have the messages (acks=all), in order for each key. Throws TooLargeForKafka, or
   * whatever went wrong on the way; then some of the messages may be there.
   */
  send(topic: string, messages: readonly KafkaMessage[]): Promise<void>;
  close(): Promise<void>;
}
