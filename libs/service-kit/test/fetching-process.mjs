// A process of the kit that fetches from itself, often, and says when it has. JavaScript, on what was built: what Node
// reads TypeScript with is WebAssembly, too, and has done its work before any of ours begins.
import { runProcess } from '@keelson/service-kit/plain';
import { createServer } from 'node:http';
import { z } from 'zod';

await runProcess({
  name: 'fetching',
  config: z.object({}),
  start: async () => {
    const server = createServer((_request, response) => response.end('ok'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
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
