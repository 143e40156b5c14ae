import { connect } from 'node:net';
import { type Kafka, startKafka } from '@keelson/testing';

describe('Kafka', () => {
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startKafka();
  }, 600_000);

  afterAll(() => kafka.stop());

  test('takes connections on the address that it names, also after kill -9', async () => {
    await connects(kafka.brokers[0] as string);
    kafka.kill('SIGKILL');
    await kafka.restart();
    await connects(kafka.brokers[0] as string);
  });
});

function connects(broker: string): Promise<void> {
  const [host, port] = broker.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
