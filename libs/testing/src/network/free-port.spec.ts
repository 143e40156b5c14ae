import { createServer } from 'node:net';
import { freePorts } from './free-port.ts';

describe('free ports', () => {
  test('are different and can all be bound at once', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).toBe(50);
    const servers = await Promise.all(
      ports.map(
        (port) =>
          new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
            const server = createServer().once('error', reject);
            server.listen(port, '127.0.0.1', () => resolve(server));
          }),
      ),
    );
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });
});
