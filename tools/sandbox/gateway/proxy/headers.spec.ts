import fc from 'fast-check';
import { hostOf, responseHeaders, upstreamHeaders } from './headers.ts';

const from = {
  clientAddress: '127.0.0.1',
  host: 'a.test:8080',
  port: 8080,
  scheme: 'http' as const,
  requestId: 'id-1',
};
const pairs = (flat: string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1] ?? '']] : [])));

describe('headers for the pod', () => {
  test('hop-by-hop headers, and those that Connection names, stay behind', () => {
    const raw = [
      'Host',
      'x',
      'Connection',
      'close, X-Secret',
      'X-Secret',
      '1',
      'TE',
      'trailers',
      'Upgrade',
      'h2c',
      'Accept',
      '*/*',
    ];
    const sent = pairs(upstreamHeaders(raw, from));
    for (const name of ['connection', 'x-secret', 'te', 'upgrade']) expect(sent[name]).toBeUndefined();
    expect(sent['accept']).toBe('*/*');
  });

  test('traceparent and anything else is passed on as it is', () => {
    expect(pairs(upstreamHeaders(['traceparent', '00-a-b-01', 'Idempotency-Key', 'k'], from))).toMatchObject({
      traceparent: '00-a-b-01',
      'idempotency-key': 'k',
    });
  });

  test('what a client claims about itself is replaced, the old X-Forwarded-For kept under its own name', () => {
    const raw = [
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Real-IP',
      '6.6.6.6',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'evil',
    ];
    expect(pairs(upstreamHeaders(raw, from))).toMatchObject({
      host: 'a.test:8080',
      'x-forwarded-for': '127.0.0.1',
      'x-original-forwarded-for': '6.6.6.6',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test:8080',
      'x-forwarded-port': '8080',
      'x-request-id': 'id-1',
    });
  });

  test('no header of the client is doubled or lost but those on the lists', () => {
    const name = fc.stringMatching(/^x-[a-z]{1,5}$/).filter((n) => !['x-real', 'x-scheme'].includes(n));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.stringMatching(/^[a-z]{0,5}$/))), (headers) => {
        const sent = upstreamHeaders(headers.flat(), from);
        const own = sent.slice(2, 2 + headers.length * 2);
        expect(own).toEqual(headers.flat());
      }),
    );
  });
});

test('headers for the client lose what is hop-by-hop and keep their doubles', () => {
  const raw = ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'].map(
    (s) => Buffer.from(s),
  );
  expect(responseHeaders(raw)).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
});

test.each([
  ['/x', 'A.Test:8080', 'a.test', '/x'],
  ['/x', 'a.test.', 'a.test', '/x'],
  ['/x', '[::1]:80', '[::1]', '/x'],
  ['http://b.test/y?z', 'a.test', 'b.test', '/y?z'],
  ['*', 'a.test', 'a.test', '*'],
])('target %s with Host %s is for host %s, target %s', (url, host, name, target) => {
  expect(hostOf({ url, headers: { host } })).toMatchObject({ name, target });
});
