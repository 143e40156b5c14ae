import { EntityError, parseMarkdownV2 } from './markdown-v2.ts';
import type { ReceivedMessage } from './messages.ts';

/** HTTP status and body of an answer of the Bot API. */
export interface Answer {
  status: number;
  body: {
    ok: boolean;
    result?: unknown;
    error_code?: number;
    description?: string;
    parameters?: Record<string, number>;
  };
}

export interface BotState {
  token: string;
  chats: readonly { id: number; title: string }[];
  messages: ReceivedMessage[];
  perChatPerMinute: number;
}

/** "1-4096 characters after entities parsing": core.telegram.org/bots/api#sendmessage */
const longest = 4_096;

type Parameters = Record<string, unknown>;

/** Carries out `/bot<token>/<method>`; method names do not mind case, parameters come in the query or the body. */
export function callMethod(state: BotState, url: URL, contentType: string | undefined, body: string): Answer {
  const [, bot = '', method = ''] = url.pathname.split('/');
  if (!/^bot\d+:[\w-]{30,}$/.test(bot)) return refuse(404, 'Not Found');
  if (bot !== `bot${state.token}`) return refuse(401, 'Unauthorized');
  const me = { id: Number(state.token.split(':')[0]), is_bot: true, first_name: 'Keelson', username: 'keelson_bot' };
  switch (method.toLowerCase()) {
    case 'getme':
      return { status: 200, body: { ok: true, result: me } };
    case 'sendmessage': {
      const parameters = parametersOf(url, contentType, body);
      return parameters === undefined
        ? refuse(400, "Bad Request: can't parse parameters: expected JSON object or form")
        : sendMessage(state, parameters, me);
    }
    default:
      return refuse(404, 'Not Found: method not found');
  }
}

function sendMessage(state: BotState, parameters: Parameters, me: object): Answer {
  const { text: source } = parameters;
  const [chatId, parseMode] = [plain(parameters['chat_id']), plain(parameters['parse_mode'])];
  if (chatId === '') return refuse(400, 'Bad Request: chat_id is empty');
  const chat = state.chats.find(({ id }) => String(id) === chatId);
  if (typeof source !== 'string' || source.trim() === '') return refuse(400, 'Bad Request: message text is empty');
  let parsed: ReturnType<typeof parseMarkdownV2> = { text: source, entities: [] };
  if (parseMode !== '') {
    if (/^(html|markdown)$/i.test(parseMode)) {
      return refuse(501, `Not Implemented: this stand-in parses MarkdownV2 only, not ${parseMode}`);
    }
    if (parseMode.toLowerCase() !== 'markdownv2') return refuse(400, 'Bad Request: unsupported parse_mode');
    try {
      parsed = parseMarkdownV2(source);
    } catch (error) {
      if (!(error instanceof EntityError)) throw error;
      return refuse(400, `Bad Request: can't parse entities: ${error.message}`);
    }
  }
  if (parsed.text.trim() === '') return refuse(400, 'Bad Request: message text is empty');
  if (parsed.text.length > longest) return refuse(400, 'Bad Request: message is too long');
  if (chat === undefined) return refuse(400, 'Bad Request: chat not found');
  const now = Date.now();
  const lastMinute = state.messages.filter(({ chatId: id, at }) => id === chat.id && now - Date.parse(at) < 60_000);
  if (lastMinute.length >= state.perChatPerMinute) {
    const seconds = Math.max(1, Math.ceil((60_000 - (now - Date.parse(lastMinute[0]?.at ?? ''))) / 1_000));
    return tooManyRequests(seconds);
  }
  const same = state.messages.find(({ chatId: id, source: earlier }) => id === chat.id && earlier === source);
  const message: ReceivedMessage = {
    messageId: state.messages.length + 1,
    chatId: chat.id,
    text: parsed.text.trim(),
    source,
    entities: parsed.entities,
    at: new Date(now).toISOString(),
    ...(same === undefined ? {} : { duplicateOf: same.messageId }),
  };
  state.messages.push(message);
  const result = {
    message_id: message.messageId,
    from: me,
    chat: { id: chat.id, title: chat.title, type: 'supergroup' },
    date: Math.floor(now / 1_000),
    text: message.text,
    ...(message.entities.length > 0 ? { entities: message.entities } : {}),
  };
  return { status: 200, body: { ok: true, result } };
}

/** The real API's answer to one who sends too fast. */
export function tooManyRequests(seconds: number): Answer {
  const description = `Too Many Requests: retry after ${seconds}`;
  return { status: 429, body: { ok: false, error_code: 429, description, parameters: { retry_after: seconds } } };
}

/** A parameter of a simple type, as text; anything else counts as not given. */
function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function parametersOf(url: URL, contentType: string | undefined, body: string): Parameters | undefined {
  const fromQuery = Object.fromEntries(url.searchParams);
  if (body === '') return fromQuery;
  if (contentType?.startsWith('application/x-www-form-urlencoded')) {
    return { ...fromQuery, ...Object.fromEntries(new URLSearchParams(body)) };
  }
  if (!contentType?.startsWith('application/json')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...fromQuery, ...value }
      : undefined;
  } catch {
    return undefined;
  }
}

function refuse(status: number, description: string): Answer {
  return { status, body: { ok: false, error_code: status, description } };
}
