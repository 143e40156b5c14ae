import { writeFile } from 'node:fs/promises';
import { identitySchema } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { CREDENTIAL_VERIFIER, FileTokens, principal } from '../src/index.ts';
import { exampleService, type ExampleService, sha256 } from './example-service.ts';

describe('tokens from a file', () => {
  let service: ExampleService;
  beforeAll(async () => {
    service = await exampleService();
  });
  afterAll(() => service.stop());

  test('without a token the answer says how to send one', async () => {
    const answer = await service.call('GET', '/v1/books', { token: null });
    expect([answer.status, answer.json['code']]).toEqual([401, 'unauthenticated']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keelson"');
  });

  test.each(['wrong', 'Reader-token', 'reader-token2', '='])('the token %j is refused', async (token) => {
    const answer = await service.call('GET', '/v1/books', { token });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keelson", error="invalid_token"');
  });

  test('another scheme than Bearer is as good as none', async () => {
    const headers = { authorization: 'Basic dGVzdGVyOg==' };
    const answer = await service.call('GET', '/v1/books', { token: null, headers });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keelson"');
  });

  test('the scheme is understood in any case', async () => {
    const headers = { authorization: `bEARER ${service.token}` };
    expect((await service.call('GET', '/v1/books', { token: null, headers })).status).toBe(200);
  });

  test('a token that lacks the scope is told which one', async () => {
    const answer = await service.call('POST', '/v1/books', { token: 'reader-token', json: { title: 'x' } });
    expect([answer.status, answer.json['code']]).toEqual([403, 'scope-missing']);
    expect(answer.json['detail']).toBe('Token "reader" lacks the scope orders:write; it has orders:read.');
    expect(answer.headers.get('www-authenticate')).toContain('scope="orders:write"');
    expect((await service.call('GET', '/v1/books', { token: 'reader-token' })).status).toBe(200);
  });

  test('a token is told whose it is and what it may do; without a valid one there is nothing to tell', async () => {
    const answer = await service.call('GET', '/v1/whoami', { token: 'reader-token' });
    expect(answer.status).toBe(200);
    expect(identitySchema.parse(answer.json)).toMatchObject({ name: 'reader', scopes: ['orders:read'] });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await service.call('GET', '/v1/whoami', { token: null })).status).toBe(401);
    const unknown = await service.call('GET', '/v1/whoami', { token: 'wrong' });
    expect([unknown.status, unknown.json['detail']]).toEqual([401, 'The token is unknown.']);
  });

  test('nothing of a request without a valid token is parsed', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await service.call('POST', '/v1/books', { token: null, body: '{', headers })).status).toBe(401);
  });

  test('HEAD is as closed as GET', async () => {
    expect((await service.call('HEAD', '/v1/books', { token: null })).status).toBe(401);
    expect((await service.call('HEAD', '/v1/books')).status).toBe(200);
  });

  test('open paths need none', async () => {
    const answer = await service.call('GET', '/v1/cover', { token: null });
    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([
      200,
      'image/png',
      '\u0001\u0002\u0003',
    ]);
  });

  test('a change of the file counts without a restart; a broken one leaves the last good one in force', async () => {
    const status = async (token: string): Promise<number> => (await service.call('GET', '/v1/books', { token })).status;
    const entry = { name: 'new', team: 'red', scopes: ['orders:read'], sha256: sha256('new-token').toUpperCase() };
    await writeFile(service.tokensFile, JSON.stringify([entry]));
    await eventually(async () => (await status('new-token')) === 200);
    expect(await status(service.token)).toBe(401);

    await writeFile(service.tokensFile, '[{"name": "half');
    // Two looks at the file lie between: the broken one was seen when the mended one counts.
    expect(await status('new-token')).toBe(200);
    await writeFile(service.tokensFile, JSON.stringify([{ ...entry, sha256: sha256('newer-token') }]));
    await eventually(async () => (await status('newer-token')) === 200);
    expect(await status('new-token')).toBe(401);
  });
});

test('a token that was taken out stops working though the clock was set back meanwhile', async () => {
  const service = await exampleService();
  const now = Date.now;
  try {
    expect((await service.call('GET', '/v1/books')).status).toBe(200);
    Date.now = () => now() - 86_400_000;
    await writeFile(service.tokensFile, '[]');
    await eventually(async () => (await service.call('GET', '/v1/books')).status === 401);
  } finally {
    Date.now = now;
    await service.stop();
  }
});

test.each([
  ['is not there', undefined, 'cannot be read'],
  ['is no JSON', '[', 'cannot be read'],
  ['holds a token in clear', '[{"name":"a","team":"t","scopes":["*"],"token":"x"}]', '/0/sha256'],
  ['has an unknown scope', `[{"name":"a","team":"t","scopes":["all"],"sha256":"${sha256('x')}"}]`, '/0/scopes/0'],
])('a tokens file that %s is refused at the start', async (_, content, says) => {
  const service = await exampleService();
  try {
    if (content !== undefined) await writeFile(service.tokensFile, content);
    await expect(FileTokens.open(content === undefined ? '/nonexistent.json' : service.tokensFile)).rejects.toThrow(
      says,
    );
  } finally {
    await service.stop();
  }
});

test('another verifier takes the place of the file; where it cannot tell, the answer is 503, not 401', async () => {
  const verifier = {
    verify: (bearer: string) =>
      bearer === 'down'
        ? Promise.reject(new Error('no answer'))
        : Promise.resolve(principal({ name: bearer, team: 't', scopes: ['*'] })),
  };
  const service = await exampleService({ providers: [{ provide: CREDENTIAL_VERIFIER, useValue: verifier }] });
  try {
    expect((await service.call('GET', '/v1/books', { token: 'anybody' })).status).toBe(200);
    const down = await service.call('GET', '/v1/books', { token: 'down' });
    expect([down.status, down.json['code'], down.headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
  } finally {
    await service.stop();
  }
});

test('principals are told apart by team and name together', () => {
  const idOf = (team: string, name: string): string => principal({ team, name, scopes: [] }).id;
  expect(idOf('red', 'ci')).toBe('red/ci');
  expect(new Set([idOf('red', 'ci'), idOf('blue', 'ci'), idOf('a/b', 'c'), idOf('a', 'b/c')]).size).toBe(4);
});

test('a principal sees its own team, and with the team * every team', () => {
  const red = principal({ name: 'r', team: 'red', scopes: ['orders:read'] });
  expect([red.canSee('red'), red.canSee('blue'), red.canSee('*')]).toEqual([true, false, false]);
  expect([red.has('orders:read'), red.has('orders:write')]).toEqual([true, false]);
  const operator = principal({ name: 'o', team: '*', scopes: ['*'] });
  expect([operator.canSee('red'), operator.has('orders:write')]).toEqual([true, true]);
});
