import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  /** The version that answered. */
  readonly text: string;
}

/** One request to the gateway for a host. */
export function ask(
  port: number,
  host: string,
  headers: Record<string, string> = {},
  agent: Agent | false = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, headers: { ...headers, host }, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Customers of a shop: about two hundred requests a second until they are sent home. */
export class Traffic {
  /** Answers by version and status: `shop-v1 200`. */
  readonly answers = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #customers: Promise<void>[];
  #open = true;

  constructor(port: number, host: string) {
    this.#customers = Array.from({ length: 4 }, async () => {
      while (this.#open) {
        const { text, status } = await ask(port, host, {}, this.#agent).catch((error: Error) => ({
          text: error.message,
          status: 0,
        }));
        const key = `${text} ${status}`;
        this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
        await pause(15); // their pace, not a wait for anything
      }
    });
  }

  async stop(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#customers);
    this.#agent.destroy();
  }
}
