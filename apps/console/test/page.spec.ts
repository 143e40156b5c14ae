import { PAGES } from '../src/pages.ts';
import { SCRIPT, type Stage, stage } from './running.ts';

describe('the page', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.stop());

  const navigation = { headers: { accept: 'text/html,application/xhtml+xml' } };

  test.each(Object.values(PAGES))('%s is answered with it', async (pattern) => {
    const answer = await on.call(pattern.replaceAll(/:\w+/g, 'a'), navigation);
    expect([answer.status, await answer.text()]).toEqual([200, '<!doctype html><title>Keelson</title>']);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  test('an address that no page has is answered with it as well, which then says so', async () => {
    const answer = await on.call('/nowhere', navigation);
    expect([answer.status, await answer.text()]).toEqual([404, '<!doctype html><title>Keelson</title>']);
  });

  test.each(['/assets/gone.js', '/assets/../index.html/x', '/index-abc.js'])(
    '%s is not answered with it',
    async (path) => {
      const answer = await on.call(path, { headers: { accept: '*/*' } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    },
  );

  test('nothing beside the page can be read', async () => {
    for (const path of ['/..%2f..%2fpackage.json', '/%2e%2e/package.json', '/assets/%2e%2e/%2e%2e/package.json'])
      expect((await on.call(path)).status).toBe(404);
  });

  test('files whose name tells their content are kept for a year, and come compressed', async () => {
    const answer = await on.call('/assets/index-abc.js', { headers: { 'accept-encoding': 'br' } });
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-encoding')).toBe('br');
    expect(await answer.text()).toBe(SCRIPT);
    const plain = await on.call('/assets/index-abc.js', { headers: { 'accept-encoding': 'identity' } });
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, SCRIPT]);
  });

  test.each(['/', '/assets/index-abc.js', '/nowhere', '/api/nowhere', '/api/status', '/healthz'])(
    '%s has the security headers',
    async (path) => {
      const { headers } = await on.call(path, navigation);
      const policy = headers.get('content-security-policy')!.split(';');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
        ]),
      );
      expect(policy.join()).not.toContain('unsafe');
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers.get('permissions-policy')).toContain('camera=()');
    },
  );

  test('no other page may read what the API answers', async () => {
    const answer = await on.call('/api/status', { headers: { origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const asked = await on.call('/api/events/v1/events', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    });
    expect(asked.status).toBe(405);
  });

  test('operators see that it lives, and what it does', async () => {
    expect(await (await on.call('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await on.call('/readyz')).status).toBe(200);
    await (await on.call('/api/orders/v1/orders/a-1')).arrayBuffer();
    const metrics = await (await on.call('/metrics')).text();
    expect(metrics).toContain('route="/api/orders/v1/orders/{id}"');
  });
});
