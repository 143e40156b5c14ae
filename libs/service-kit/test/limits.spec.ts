import { exampleService } from './example-service.ts';

test('each token has its own share, every answer shows it, and above it comes 429 with Retry-After', async () => {
  const service = await exampleService({ environment: { RATE_LIMIT_PER_SECOND: '1' } });
  try {
    const first = await service.call('GET', '/v1/books');
    expect(
      ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => first.headers.get(name)),
    ).toEqual(['2', '1', '1']);
    await service.call('GET', '/v1/books');
    const refused = await service.call('GET', '/v1/books');
    expect([refused.status, refused.json['code'], refused.headers.get('retry-after')]).toEqual([
      429,
      'rate-limited',
      '1',
    ]);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect((await service.call('GET', '/v1/books', { token: 'reader-token' })).status).toBe(200);
    const guess = () => service.call('GET', '/v1/books', { token: 'guessed' });
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    for (let times = 0; times < 5; times++) {
      expect((await service.call('GET', '/healthz', { token: null })).status).toBe(200);
    }
  } finally {
    await service.stop();
  }
});
