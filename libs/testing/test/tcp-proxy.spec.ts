import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tcpProxy, type TcpProxy } from '../src/index.ts';

describe('a proxy in front of several servers', () => {
  const servers: Server[] = [];
  let proxy: TcpProxy;
  const listen = async (name: string): Promise<string> => {
    const server = createServer((_request, response) => response.end(name));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const ask = async (): Promise<string> =>
    (await fetch(proxy.url('http://anywhere/'), { headers: { connection: 'close' } })).text();

  beforeAll(async () => {
    proxy = await tcpProxy([await listen('one'), await listen('two')]);
  });
  afterAll(async () => {
    await proxy.close();
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });

  test('connects to each in turn', async () => {
    expect(new Set([await ask(), await ask()])).toEqual(new Set(['one', 'two']));
  });

  test('goes past one that is away, and ends the connection when all are', async () => {
    servers[0]!.closeAllConnections();
    await new Promise((resolve) => servers[0]!.close(resolve));
    expect([await ask(), await ask(), await ask()]).toEqual(['two', 'two', 'two']);
    servers[1]!.closeAllConnections();
    await new Promise((resolve) => servers[1]!.close(resolve));
    await expect(ask()).rejects.toThrow('fetch failed');
    servers.length = 0;
  });
});
