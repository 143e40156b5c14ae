import { z } from 'zod';
import type { JournalEntry } from '../../journal/entry.ts';
import { DELIVERED, outcomeOfStatus, retryAfter, type Outcome, type Sink } from '../sink.ts';
import { telegramMessage } from './message.ts';

const answerSchema = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional(), migrate_to_chat_id: z.number().optional() }).optional(),
});

/** What the Bot API says (as a 400, like every fault of a text) when no message at all can go to this chat. */
const FAULT_OF_THE_CHAT =
  /chat not found|upgraded to a supergroup|thread not found|topic_(closed|deleted)|not enough rights|have no rights|need administrator rights|chat_write_forbidden|chat_restricted|peer_id_invalid|group is deactivated/i;

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
      const response = await fetch(`${apiUrl.replace(/\/+$/, '')}/bot${token}/sendMessage`, {
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
      // A wrong token, chat or topic is a fault of the configuration: it comes right when that does, and nothing may be lost.
      if ([401, 403, 404].includes(response.status) || FAULT_OF_THE_CHAT.test(said)) {
        const moved = answer.data?.parameters?.migrate_to_chat_id;
        const now = moved === undefined ? 'check token and chat' : `the chat is now ${moved}`;
        return {
          kind: 'retry',
          afterMs: 30_000,
          reason: `Telegram refuses: ${said || `HTTP ${response.status}`}; ${now}`,
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
