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
  readonly server: Socket;
  readonly requests: Buffer[];
  readonly answers: Buffer[];
}

/** Starts a proxy in front of host and port of the URL. */
export async function tcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let mode: Mode = 'pass';
  let delayMs = 0;
  let answersBeforeCut = Infinity;
  const carry = ({ client, server, requests, answers }: Pair): void => {
    if (mode === 'hang') return;
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
    const server = connect(Number(port), hostname);
    const pair: Pair = { client, server, requests: [], answers: [] };
    pairs.add(pair);
    server.on('error', () => client.destroy());
    client.on('data', (data) => {
      pair.requests.push(data);
      carry(pair);
    });
    let answersLeft = answersBeforeCut;
    server.on('data', (data) => {
      pair.answers.push(data);
      carry(pair);
      if ((answersLeft -= 1) <= 0) client.end(() => client.resetAndDestroy());
    });
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('close', end);
    server.on('close', end);
  });
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
      server.destroy();
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
