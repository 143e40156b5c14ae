import fc from 'fast-check';
import { redactFields, redactUrls } from './redact.ts';

test.each([
  ['authorization'],
  ['Authorization'],
  ['cookie'],
  ['Set-Cookie'],
  ['token'],
  ['accessToken'],
  ['refresh_token'],
  ['PASSWORD'],
  ['KEY_ENCRYPTION_PASSPHRASE'],
  ['privateKey'],
  ['private_key'],
  ['X-Api-Key'],
  ['clientSecret'],
])('what is called %s is not written, at any depth', (key) => {
  const redacted = redactFields({ at: [{ deep: { [key]: 'hunter2', kept: 1 } }], [key]: { value: 'hunter2' } });
  expect(redacted).toEqual({ at: [{ deep: { [key]: '[redacted]', kept: 1 } }], [key]: '[redacted]' });
});

test.each([['tokens'], ['key'], ['secretName'], ['cookies'], ['primaryKey']])('what is called %s is written', (key) => {
  expect(redactFields({ [key]: 7 })).toEqual({ [key]: 7 });
});

test('dates, buffers and errors stay what they are, and what contains itself ends', () => {
  const fields = { at: new Date(0), bytes: Buffer.from('x'), err: new Error('e') };
  expect(redactFields(fields)).toEqual(fields);
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  expect(redactFields(loop)).toHaveProperty('loop.loop');
});

test.each([
  ['amqp://guest:hunter2@broker/v', 'amqp://guest:[redacted]@broker/v'],
  [
    'one postgres://u:p%2Fq@h:5432/d and two http://:x@y',
    'one postgres://u:[redacted]@h:5432/d and two http://:[redacted]@y',
  ],
  ['http://host:8080/path@2x and mailto:a@b', 'http://host:8080/path@2x and mailto:a@b'],
  ['{"url":"redis://a:b@c","x":"d:e@f"}', '{"url":"redis://a:[redacted]@c","x":"d:e@f"}'],
])('%s loses its password only', (text, expected) => {
  expect(redactUrls(text)).toBe(expected);
});

test('no password of a URL survives, whatever stands around it', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9._~!$&()*+,;=%-]{1,20}$/);
  fc.assert(
    fc.property(fc.string(), part, part, fc.string(), (before, user, password, after) => {
      fc.pre(!before.includes(password) && !after.includes(password) && !user.includes(password));
      const text = redactUrls(`${before} amqp://${user}:${password}@h/${after}`);
      expect(text.includes(`:${password}@`)).toBe(false);
    }),
  );
});
