import {
  catalogue,
  certificateExpiring,
  certificateIssued,
  certificateRenewed,
  certificateRevoked,
} from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { eventually } from '@keelson/testing';

export interface HeardMessage {
  readonly name: string;
  readonly payload: Record<string, unknown> & { certificateId: string };
}

/** Hears every message of the service, as another service would. */
export async function listener(amqpUrl: string): Promise<{ heard: HeardMessage[]; stop(): Promise<void> }> {
  const messaging = await Messaging.connect({ url: amqpUrl, service: 'listener', catalogue });
  const heard: HeardMessage[] = [];
  const subscription = await messaging.subscribe({
    queue: 'listener.certificates',
    messages: [certificateIssued, certificateExpiring, certificateRevoked, certificateRenewed],
    handler: (message) => {
      heard.push({ name: message.definition.name, payload: message.payload });
      return Promise.resolve();
    },
  });
  await eventually(() => subscription.state === 'attached');
  return { heard, stop: () => messaging.close() };
}
