import { readFileSync } from 'node:fs';
import type { SecretText, SinkRule } from '../rules/rules.ts';
import { KafkaSink } from './kafka/kafka.sink.ts';
import { KafkaJsProducer } from './kafka/kafkajs.producer.ts';
import type { Sink } from './sink.ts';
import { StdoutSink } from './stdout/stdout.sink.ts';
import { TelegramSink } from './telegram/telegram.sink.ts';
import { WebhookSink } from './webhook/webhook.sink.ts';

/** The sink that a rule asks for; throws where a secret that it names is not there. */
export function makeSink(rule: SinkRule): Sink {
  if (rule.telegram)
    return new TelegramSink({ ...rule.telegram, token: reveal(rule.telegram.token, `${rule.name}.telegram.token`) });
  if (rule.webhook) {
    const headers = Object.entries(rule.webhook.headers).map(([header, value]) => [
      header,
      reveal(value, `${rule.name}.webhook.headers.${header}`),
    ]);
    return new WebhookSink({ ...rule.webhook, headers: Object.fromEntries(headers) as Record<string, string> });
  }
  if (rule.kafka) {
    return new KafkaSink({
      producer: new KafkaJsProducer({ brokers: rule.kafka.brokers, clientId: 'keelson-event-relay' }),
      topic: rule.kafka.topic,
    });
  }
  return new StdoutSink();
}

function reveal(secret: SecretText, where: string): string {
  if (typeof secret === 'string') return secret;
  if ('file' in secret) return readFileSync(secret.file, 'utf8').trim();
  const value = process.env[secret.env];
  if (value === undefined || value === '') throw new Error(`sink ${where}: the environment has no ${secret.env}`);
  return value;
}
