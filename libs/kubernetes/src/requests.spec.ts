import { retryAfterSeconds } from './requests.ts';

const now = new Date('2026-03-01T12:00:00Z');

test.each([
  { header: undefined, seconds: undefined },
  { header: '0', seconds: 0 },
  { header: '17', seconds: 17 },
  { header: 'Sun, 01 Mar 2026 12:01:00 GMT', seconds: 60 },
  { header: 'Sun, 01 Mar 2026 11:59:00 GMT', seconds: 0 },
  { header: 'soon', seconds: undefined },
])('Retry-After $header is $seconds', ({ header, seconds }) => {
  expect(retryAfterSeconds(header, now)).toBe(seconds);
});
