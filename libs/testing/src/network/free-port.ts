import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports this process has handed out: never twice, even before the first taker has bound its own. */
const given = new Set<number>();

/**
 * A TCP port of 127.0.0.1 that nobody listens on.
 *
 * It lies below the range from which the kernel takes the ports of outgoing connections: a port found by binding
 * to 0 is inside that range, and any client of a busy test run may be given it before the server binds it.
 */
export async function freePort(): Promise<number> {
  const { first, last } = portsForServers();
  for (let attempt = 0; attempt < (last > first ? 200 : 0); attempt++) {
    const port = first + Math.floor(Math.random() * (last - first));
    if (!given.has(port) && (await bind(port)) !== undefined) return remember(port);
  }
  const port = await bind(0);
  if (port === undefined)
    throw new Error('No port of 127.0.0.1 can be bound; look at `ss -tan` for what holds them all');
  return remember(port);
}

/** So many different free ports. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

function remember(port: number): number {
  given.add(port);
  return port;
}

/** From 20,000 up to the outgoing range; empty on a machine whose outgoing range begins below. */
function portsForServers(): { first: number; last: number } {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  return { first: 20_000, last: Number(range.split(/\s+/)[0]) };
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}
