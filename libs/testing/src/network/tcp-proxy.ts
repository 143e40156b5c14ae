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

/** Starts a proxy in front of host and port of the URL. */
export async function tcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  let mode: Mode = 'pass';
  let delayMs = 0;
  let answersBeforeCut = Infinity;
  const apply = (client: Socket, server: Socket): void => {
    if (mode === 'hang') client.pause();
    else client.resume();
    if (mode === 'hang' || mode === 'hang-answers') server.pause();
    else server.resume();
  };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    if (mode === 'refuse') return void client.resetAndDestroy();
    const upstream = connect(Number(port), hostname);
    upstream.on('error', () => client.destroy());
    client.on('data', (data) => upstream.write(data));
    let answersLeft = answersBeforeCut;
    upstream.on('data', (data) => {
      // Timers of one length fire in the order they were set.
      if (delayMs > 0) setTimeout(() => client.write(data), delayMs);
      else client.write(data, () => (answersLeft -= 1) <= 0 && client.resetAndDestroy());
    });
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on('close', end);
    upstream.on('close', end);
    apply(client, upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as { port: number };
  const set = (next: Mode) => (): void => {
    mode = next;
    answersBeforeCut = Infinity;
    for (const [client, upstream] of pairs) apply(client, upstream);
  };
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
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
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
