import { telegramStandIn, type TelegramStandIn } from './stand-in.ts';

describe("the stand-in for Telegram's Bot API", () => {
  let telegram: TelegramStandIn;

  beforeEach(async () => {
    telegram = await telegramStandIn();
  });

  afterEach(() => telegram.stop());

  const send = async (
    body: object,
    token = telegram.token,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${telegram.url}/bot${token}/sendMessage`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chat_id: telegram.chats[0]?.id, ...body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('shows a message as its readers see it, as JSON and as a page', async () => {
    expect((await send({ text: '*Rollback* of v3\\!', parse_mode: 'MarkdownV2' })).status).toBe(200);
    expect(telegram.messages).toMatchObject([{ text: 'Rollback of v3!', entities: [{ type: 'bold' }] }]);
    expect(await (await fetch(`${telegram.url}/messages`)).json()).toMatchObject([{ text: 'Rollback of v3!' }]);
    expect(await (await fetch(telegram.url)).text()).toContain('<b>Rollback</b> of v3!');
  });

  test.each([
    {
      name: 'an unescaped full stop',
      body: { text: 'v1.2', parse_mode: 'MarkdownV2' },
      status: 400,
      description:
        "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    },
    { name: 'no text', body: { text: ' ' }, status: 400, description: 'Bad Request: message text is empty' },
    {
      name: 'one character too many',
      body: { text: 'x'.repeat(4097) },
      status: 400,
      description: 'Bad Request: message is too long',
    },
    {
      name: 'a chat it is not in',
      body: { text: 'x', chat_id: 7 },
      status: 400,
      description: 'Bad Request: chat not found',
    },
    {
      name: 'an unknown parse mode',
      body: { text: 'x', parse_mode: 'rtf' },
      status: 400,
      description: 'Bad Request: unsupported parse_mode',
    },
  ])('refuses $name in the words of the real one', async ({ body, status, description }) => {
    expect(await send(body)).toEqual({ status, body: { ok: false, error_code: status, description } });
    expect(telegram.messages).toEqual([]);
  });

  test('accepts exactly 4096 characters, counted after the markup is parsed', async () => {
    expect((await send({ text: `*${'x'.repeat(4096)}*`, parse_mode: 'MarkdownV2' })).status).toBe(200);
  });

  test('answers 401 to a token it does not know and 404 to what is no token', async () => {
    expect((await send({ text: 'x' }, `9${telegram.token}`)).status).toBe(401);
    expect((await send({ text: 'x' }, 'nonsense')).status).toBe(404);
  });

  test('answers 429 with the seconds to wait when told to, then works again', async () => {
    telegram.failNext({ kind: 'too-many-requests', retryAfterSeconds: 3 });
    expect(await send({ text: 'x' })).toMatchObject({ status: 429, body: { parameters: { retry_after: 3 } } });
    expect((await send({ text: 'x' })).status).toBe(200);
  });

  test('limits a chat as the real one limits a group', async () => {
    const limited = await telegramStandIn({ perChatPerMinute: 1 });
    const url = `${limited.url}/bot${limited.token}/sendMessage?chat_id=${limited.chats[0]?.id}&text=x`;
    expect((await fetch(url)).status).toBe(200);
    const second = await fetch(url);
    expect([second.status, Number(second.headers.get('retry-after')) > 0]).toEqual([429, true]);
    await limited.stop();
  });

  test('a sender that learns nothing of its delivery and sends again is seen as a duplicate', async () => {
    telegram.failNext({ kind: 'drop-after' });
    await expect(send({ text: 'paid' })).rejects.toThrow('fetch failed');
    await send({ text: 'paid' });
    expect(telegram.duplicates()).toMatchObject([{ messageId: 2, duplicateOf: 1 }]);
  });
});
