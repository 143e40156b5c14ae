import { defaultSettings } from '../routing/annotations.ts';
import { mayRetry, type Failure } from './retry.ts';

describe('passing a request to another endpoint', () => {
  const whole = { replayable: true };
  test.each<[string, Failure, string, boolean]>([
    ['a POST that was never sent', { sent: false, cause: 'error' }, 'POST', true],
    ['a GET that was sent', { sent: true, cause: 'error' }, 'GET', true],
    ['a GET that timed out', { sent: true, cause: 'timeout' }, 'GET', true],
    ['a POST that was sent', { sent: true, cause: 'error' }, 'POST', false],
    ['a PATCH that was sent', { sent: true, cause: 'error' }, 'PATCH', false],
    ['a PUT that was sent', { sent: true, cause: 'error' }, 'PUT', true],
    ['a GET that was answered with 502', { sent: true, cause: 'http_502' }, 'GET', false],
  ])('%s: %s', (_, failure, method, expected) => {
    expect(mayRetry(failure, { method, ...whole }, defaultSettings)).toBe(expected);
  });

  test('the annotation proxy-next-upstream widens, narrows or ends it', () => {
    const with_ = (...words: string[]) => ({ nextUpstream: new Set(words) });
    expect(
      mayRetry({ sent: true, cause: 'error' }, { method: 'POST', ...whole }, with_('error', 'non_idempotent')),
    ).toBe(true);
    expect(mayRetry({ sent: true, cause: 'http_503' }, { method: 'GET', ...whole }, with_('http_503'))).toBe(true);
    expect(mayRetry({ sent: true, cause: 'timeout' }, { method: 'GET', ...whole }, with_('error'))).toBe(false);
    expect(mayRetry({ sent: false, cause: 'error' }, { method: 'GET', ...whole }, with_('off'))).toBe(false);
  });

  test('a body that has been streamed away cannot be sent again', () => {
    expect(mayRetry({ sent: true, cause: 'error' }, { method: 'PUT', replayable: false }, defaultSettings)).toBe(false);
  });
});
