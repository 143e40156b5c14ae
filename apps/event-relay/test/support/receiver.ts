import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A CloudEvent as the webhook sink sends it; only what tests look at. */
export interface ReceivedEvent {
  id: string;
  subject: string;
  data: { message: string; reason: string };
}

/** What the receiver does with a delivery: a status, or never an answer. */
export type Answer = number | 'hang';

/** A receiver of webhooks whose answers the test chooses; it keeps what it accepted. */
export class Receiver {
  readonly got: ReceivedEvent[] = [];
  /** Headers of every request, also of those that were refused. */
  readonly headers: IncomingMessage['headers'][] = [];
  answer: (message: string) => Answer = () => 200;
  /** Headers and body of refusals. */
  refusal: { headers: Record<string, string>; body: string } = { headers: { 'retry-after': '0' }, body: '' };
  readonly #server: Server;
  readonly #hanging: ServerResponse[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => this.#take(request, body, response));
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  get messages(): string[] {
    return this.got.map((event) => event.data.message);
  }

  /** Deliveries that have got no answer yet. */
  get hanging(): number {
    return this.#hanging.length;
  }

  /** Accepts what hangs. */
  release(): void {
    for (const response of this.#hanging.splice(0)) response.writeHead(204).end();
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #take(request: IncomingMessage, body: string, response: ServerResponse): void {
    this.headers.push(request.headers);
    const event = JSON.parse(body) as ReceivedEvent;
    const status = this.answer(event.data.message);
    if (status === 'hang') {
      this.got.push(event);
      this.#hanging.push(response);
    } else if (status < 300) {
      this.got.push(event);
      response.writeHead(status).end();
    } else {
      response.writeHead(status, this.refusal.headers).end(this.refusal.body);
    }
  }
}
