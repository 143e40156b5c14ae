import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can lose the network in the ways a network is lost. */
export interface TcpProxy {
  /** The given URL, through the proxy. */
  url(target: string): string;
  /** Connections that are open now. */
  readonly connections: number;
  /** Ends every connection with a reset. */
  cut(): void;
  /** Connections stay open and carry nothing any more, in either direction. */
  hang(): void;
  /** What the server sends is held back; what clients send goes through. */
  hangAnswers(): void;
  /** Carries again; what was held back arrives. */
  resume(): void;
  /** New connections are refused (reset) until resume. */
  refuse(): void;
  /** New connections are cut when the server has answered so many times, until resume. */
  cutAfter(answers: number): void;
  /** What the server sends arrives that much later, from now on. */
  delayAnswers(ms: number): void;
  close(): Promise<void>;
}

type Mode = 'pass' | 'hang' | 'hang-answers' | 'refuse';

/** Two sockets, and what is held back of each direction. The sockets are always read: else nobody sees that one closes. */
interface Pair {
  readonly client: Socket;
  /** Undefined until one of the targets has taken the connection. */
  server: Socket | undefined;
  readonly requests: Buffer[];
  readonly answers: Buffer[];
}

/**
 * Starts a proxy in front of host and port of the URL. With several URLs each new connection goes to the next of them,
 * and past those that refuse it, as behind a Kubernetes Service.
 */
export async function tcpProxy(target: string | readonly string[]): Promise<TcpProxy> {
  const targets = (typeof target === 'string' ? [target] : target).map((one) => new URL(one));
  let turn = 0;
  const pairs = new Set<Pair>();
  let mode: Mode = 'pass';
  let delayMs = 0;
  let answersBeforeCut = Infinity;
  const carry = ({ client, server, requests, answers }: Pair): void => {
    if (mode === 'hang' || server === undefined) return;
    for (const data of requests.splice(0)) server.write(data);
    if (mode === 'hang-answers') return;
    for (const data of answers.splice(0)) {
      // Timers of one length fire in the order they were set.
      if (delayMs > 0) setTimeout(() => client.write(data), delayMs);
      else client.write(data);
    }
  };
  const listener = createServer((client) => {
    client.on('error', () => undefined);
    if (mode === 'refuse') return void client.resetAndDestroy();
    const pair: Pair = { client, server: undefined, requests: [], answers: [] };
    pairs.add(pair);
    client.on('data', (data) => {
      pair.requests.push(data);
      carry(pair);
    });
    client.on('close', () => {
      pairs.delete(pair);
      pair.server?.destroy();
    });
    connectTo(pair, targets.length);
  });
  const connectTo = (pair: Pair, targetsLeft: number): void => {
    const { hostname, port } = targets[(turn += 1) % targets.length]!;
    const server = connect(Number(port), hostname);
    const { client } = pair;
    let answersLeft = answersBeforeCut;
    server.on('connect', () => {
      if (client.destroyed) return void server.destroy();
      pair.server = server;
      carry(pair);
    });
    // 'close' follows, and decides.
    server.on('error', () => undefined);
    server.on('data', (data) => {
      pair.answers.push(data);
      carry(pair);
      if ((answersLeft -= 1) <= 0) client.end(() => client.resetAndDestroy());
    });
    server.on('close', () => {
      if (pair.server === undefined && targetsLeft > 1 && !client.destroyed) connectTo(pair, targetsLeft - 1);
      else client.destroy();
    });
  };
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port: own } = listener.address() as { port: number };
  const set = (next: Mode) => (): void => {
    mode = next;
    answersBeforeCut = Infinity;
    for (const pair of pairs) carry(pair);
  };
  const cut = (): void => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server?.destroy();
    }
  };
  return {
    url: (original) => {
      const url = new URL(original);
      url.hostname = '127.0.0.1';
      url.port = String(own);
      return url.href;
    },
    get connections() {
      return pairs.size;
    },
    cut,
    hang: set('hang'),
    hangAnswers: set('hang-answers'),
    resume: set('pass'),
    refuse: set('refuse'),
    cutAfter: (answers) => {
      answersBeforeCut = answers;
    },
    delayAnswers: (ms) => {
      delayMs = ms;
    },
    close: async () => {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
