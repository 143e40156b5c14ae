import { readFileSync } from 'node:fs';
import type { SecretText, SinkRule } from '../rules/rules.ts';
import { KafkaSink } from './kafka/kafka.sink.ts';
import { KafkaJsProducer } from './kafka/kafkajs.producer.ts';
import type { Sink } from './sink.ts';
import { StdoutSink } from './stdout/stdout.sink.ts';
import { TelegramSink } from './telegram/telegram.sink.ts';
import { WebhookSink } from './webhook/webhook.sink.ts';

/** A sink cannot be made of its rule: a secret that it names is not there, or is no secret of that kind. Shows none. */
export class SinkFault extends Error {
  override readonly name = 'SinkFault';
}

/** The sink that a rule asks for; throws {@link SinkFault}. Connects to nothing yet. */
export function makeSink(rule: SinkRule): Sink {
  const { name, telegram, webhook, kafka } = rule;
  if (telegram) {
    const token = reveal(telegram.token, `sink ${name}: telegram.token`);
    if (!/^\d+:[\w-]+$/.test(token))
      throw new SinkFault(`sink ${name}: telegram.token is no token of a bot: digits, a colon, letters and digits`);
    return new TelegramSink({ ...telegram, token });
  }
  if (webhook) {
    const headers = Object.entries(webhook.headers).map(([header, value]) => {
      const text = reveal(value, `sink ${name}: webhook.headers.${header}`);
      if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
        throw new SinkFault(`sink ${name}: webhook.headers.${header} has a line break or a character above U+00FF`);
      return [header, text] as const;
    });
    return new WebhookSink({ ...webhook, headers: Object.fromEntries(headers) });
  }
  if (kafka) {
    return new KafkaSink({
      producer: new KafkaJsProducer({ brokers: kafka.brokers, clientId: 'keelson-event-relay' }),
      topic: kafka.topic,
    });
  }
  return new StdoutSink();
}

function reveal(secret: SecretText, where: string): string {
  if (typeof secret === 'string') return secret;
  if ('file' in secret) {
    try {
      const text = readFileSync(secret.file, 'utf8').trim();
      if (text !== '') return text;
    } catch (error) {
      throw new SinkFault(`${where}: ${secret.file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
    throw new SinkFault(`${where}: ${secret.file} is empty`);
  }
  const value = process.env[secret.env];
  if (value === undefined || value === '') throw new SinkFault(`${where}: the environment has no ${secret.env}`);
  return value;
}
