import { z } from 'zod';
import type { JournalEntry } from '../../journal/entry.ts';
import { DELIVERED, outcomeOfStatus, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { telegramMessage } from './message.ts';

const answerSchema = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional() }).optional(),
});

export interface TelegramOptions {
  /** Base URL of the Bot API, `https://api.telegram.org` unless a local Bot API server is used. */
  readonly apiUrl: string;
  readonly token: string;
  readonly chatId: string;
  /** Topic of a forum group. */
  readonly threadId?: number | undefined;
  /** Least time between two messages to the chat, ms. Telegram takes 20 a minute in a group. */
  readonly paceMs: number;
}

/** Sends each event as a message to a chat. Obeys `retry_after`; a text that Telegram cannot parse is rejected. */
export class TelegramSink implements Sink {
  readonly kind = 'telegram';
  readonly batchSize = 1;
  readonly #options: TelegramOptions;
  #nextAt = 0;

  constructor(options: TelegramOptions) {
    this.#options = options;
  }

  async deliver([entry]: readonly JournalEntry[], signal: AbortSignal): Promise<readonly Outcome[]> {
    if (!entry) return [];
    const wait = this.#nextAt - performance.now();
    if (wait > 0) return [{ kind: 'retry', afterMs: wait, reason: '' }];
    const outcome = await this.#send(telegramMessage(entry), signal);
    this.#nextAt = performance.now() + this.#options.paceMs;
    return [outcome];
  }

  async close(): Promise<void> {}

  async #send(text: string, signal: AbortSignal): Promise<Outcome> {
    const { apiUrl, token, chatId, threadId } = this.#options;
    try {
      const response = await fetch(`${apiUrl}/bot${token}/sendMessage`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          chat_id: chatId,
          text,
          parse_mode: 'MarkdownV2',
          link_preview_options: { is_disabled: true },
          ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
        redirect: 'error',
      });
      const answer = answerSchema.safeParse(await response.json());
      if (response.ok && answer.data?.ok === true) return DELIVERED;
      const said = answer.data?.description ?? '';
      // A wrong token or chat is a fault of the configuration: it comes right when that does, and nothing may be lost.
      if (
        response.status === 401 ||
        response.status === 403 ||
        response.status === 404 ||
        /chat not found/i.test(said)
      ) {
        return {
          kind: 'retry',
          afterMs: 30_000,
          reason: `Telegram refuses: ${said || `HTTP ${response.status}`}; check token and chat`,
        };
      }
      const seconds = answer.data?.parameters?.retry_after;
      return outcomeOfStatus(response.status, seconds === undefined ? null : String(seconds), said);
    } catch (error) {
      return retryAfter(withoutToken(error, token));
    }
  }
}

/** The URL of every call has the token in it, and what fails likes to name its URL. */
function withoutToken(error: unknown, token: string): Error {
  const words = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
  const clean = (text: string) => text.replaceAll(token, '***');
  return new Error(clean(words), cause === undefined ? undefined : { cause: new Error(clean(cause)) });
}
