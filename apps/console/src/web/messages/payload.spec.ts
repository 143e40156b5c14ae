import { isWhole, payloadOf, pretty } from './payload.ts';

test('JSON is shown on several lines, anything else as it is', () => {
  expect(pretty('{"orderId":7}')).toBe('{\n  "orderId": 7\n}');
  expect(pretty('not JSON at all')).toBe('not JSON at all');
});

test('a text that is no JSON is refused with the reason', () => {
  expect(payloadOf('null')).toEqual({ ok: true, value: null });
  expect(payloadOf('{"orderId":')).toEqual({ ok: false, reason: expect.stringMatching(/^This is no JSON: /) });
});

test('a body is whole when all its bytes are there', () => {
  expect(isWhole('"ü"', 4)).toBe(true);
  expect(isWhole('"ü"', 70_000)).toBe(false);
  // Bytes that are no text came as a replacement character.
  expect(isWhole('\ufffd', 1)).toBe(false);
});
