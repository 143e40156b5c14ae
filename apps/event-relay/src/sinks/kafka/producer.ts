/** A message on its way to Kafka. */
export interface KafkaMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * All that the Kafka sink needs of a client. A port of our own, because kafkajs is not maintained any more: another
 * client takes its place behind this, and nothing else changes.
 */
export interface KafkaProducer {
  /** Resolves when all in-sync replicas have the messages (acks=all), in order for each key. */
  send(topic: string, messages: readonly KafkaMessage[]): Promise<void>;
  close(): Promise<void>;
}
