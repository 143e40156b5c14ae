import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, type BotState, callMethod, tooManyRequests } from './bot-api.ts';
import type { ReceivedMessage } from './messages.ts';
import { messagesPage } from './page.ts';

/** How one of the next calls fails. */
export type Failure =
  /** As the real API limits: 429 with `parameters.retry_after`. */
  | { kind: 'too-many-requests'; retryAfterSeconds: number }
  /** An answer of the API's own, such as 500 or 403 "Forbidden: bot was kicked from the supergroup chat". */
  | { kind: 'answer'; status: number; description: string; parameters?: Record<string, number> }
  /** The connection breaks before the message counts. */
  | { kind: 'drop-before' }
  /** The message is delivered, but the connection breaks before the sender learns it. */
  | { kind: 'drop-after' }
  /** No answer at all until the caller gives up; the message does not count. */
  | { kind: 'hang' };

export interface TelegramOptions {
  token?: string;
  /** Chats that the bot is a member of. Default: one supergroup. */
  chats?: readonly { id: number; title: string }[];
  port?: number;
  /** As the real API limits a group (20); further messages are answered 429. Default: no limit. */
  perChatPerMinute?: number;
}

export interface TelegramStandIn {
  /** Base URL, in place of `https://api.telegram.org`; in a browser it shows the messages, `/messages` as JSON. */
  readonly url: string;
  readonly token: string;
  readonly chats: readonly { id: number; title: string }[];
  /** What the chats show, in order. */
  readonly messages: ReceivedMessage[];
  /** Every call, also those that were refused. */
  readonly calls: { method: string; status: number; description?: string }[];
  /** Messages whose chat and text were there before. */
  duplicates(): ReceivedMessage[];
  /** The next `times` (default 1) calls of sendMessage fail so. */
  failNext(failure: Failure, times?: number): void;
  stop(): Promise<void>;
}

/**
 * A strict stand-in for Telegram's Bot API, which cannot be had on one's own machine: it refuses what the real one
 * refuses, in its words (MarkdownV2 that does not parse, more than 4096 characters, an unknown chat, token or method).
 */
export async function telegramStandIn(options: TelegramOptions = {}): Promise<TelegramStandIn> {
  const state: BotState = {
    token: options.token ?? '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0',
    chats: options.chats ?? [{ id: -1001234567890, title: 'Platform alerts' }],
    messages: [],
    perChatPerMinute: options.perChatPerMinute ?? Infinity,
  };
  const calls: TelegramStandIn['calls'] = [];
  const failures: Failure[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error)); // a fault of the stand-in itself, seen by the test
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    if (request.method === 'GET' && url.pathname === '/') return page(response, 'text/html', messagesPage(state));
    if (request.method === 'GET' && url.pathname === '/messages') {
      return page(response, 'application/json', JSON.stringify(state.messages));
    }
    const body = await bodyOf(request);
    const method = url.pathname.split('/')[2] ?? '';
    const failure = /^sendmessage$/i.test(method) ? failures.shift() : undefined;
    const answer = failureAnswer(failure) ?? callMethod(state, url, request.headers['content-type'], body);
    const { ok, description } = answer.body;
    calls.push({ method, status: answer.status, ...(ok || description === undefined ? {} : { description }) });
    if (failure?.kind === 'drop-before' || failure?.kind === 'drop-after') return void request.socket.destroy();
    if (failure?.kind === 'hang') return;
    const retryAfter = answer.body.parameters?.['retry_after'];
    response
      .writeHead(answer.status, {
        'content-type': 'application/json',
        ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      })
      .end(JSON.stringify(answer.body));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token: state.token,
    chats: state.chats,
    messages: state.messages,
    calls,
    duplicates: () => state.messages.filter(({ duplicateOf }) => duplicateOf !== undefined),
    failNext: (failure, times = 1) => {
      for (let n = 0; n < times; n++) failures.push(failure);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function failureAnswer(failure: Failure | undefined): Answer | undefined {
  switch (failure?.kind) {
    case undefined:
    case 'drop-after':
      return undefined; // the call is carried out
    case 'drop-before':
    case 'hang':
      return { status: 0, body: { ok: false, description: failure.kind } };
    case 'too-many-requests':
      return tooManyRequests(failure.retryAfterSeconds);
    case 'answer': {
      const { status, description, parameters } = failure;
      return { status, body: { ok: false, error_code: status, description, ...(parameters ? { parameters } : {}) } };
    }
  }
}

function page(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
