import { attributesOf } from './open-telemetry.ts';

describe('the attributes of an OpenTelemetry instrument', () => {
  test.each<{ name: string; labels: Record<string, string>; attributes: Record<string, string> }>([
    {
      name: 'messaging_client_sent_messages_total',
      labels: { message: 'order.accepted.v1', outcome: 'ok' },
      attributes: {
        'messaging.rabbitmq.destination.routing_key': 'order.accepted.v1',
        'messaging.operation.name': 'publish',
      },
    },
    {
      name: 'messaging_client_operation_duration_seconds',
      labels: { destination: 'keelson.events', outcome: 'unroutable' },
      attributes: {
        'messaging.destination.name': 'keelson.events',
        'error.type': 'unroutable',
        'messaging.operation.name': 'publish',
      },
    },
    {
      name: 'messaging_process_duration_seconds',
      labels: { queue: 'billing.orders', outcome: 'duplicate' },
      attributes: { 'messaging.consumer.group.name': 'billing.orders', 'messaging.operation.name': 'process' },
    },
  ])('$name are those of the messaging conventions', ({ name, labels, attributes }) =>
    expect(attributesOf(name, labels)).toEqual({ 'messaging.system': 'rabbitmq', ...attributes }),
  );

  test('that the conventions do not define stay as they are', () => {
    const labels = { queue: 'q', code: 'malformed' };
    expect(attributesOf('keelson_messaging_parked_total', labels)).toBe(labels);
  });
});
