import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { runProcess } from '../src/plain.ts';

/** A process of the kit that fetches from itself, often, and says when it has. */
await runProcess({
  name: 'fetching',
  config: z.object({}),
  start: async () => {
    const server = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (let n = 0; n < 1_000; n += 1) await (await fetch(`http://127.0.0.1:${port}/`)).text();
    process.stdout.write('fetched\n');
    return {
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        return [];
      },
    };
  },
});
