import { isAtLeast } from './broker.ts';

describe('the version of a broker', () => {
  test.each([
    { version: '3.10.8', major: 4, minor: 0, is: false },
    { version: '3.10.8', major: 3, minor: 9, is: true },
    { version: '3.9.29', major: 3, minor: 10, is: false },
    { version: '4.0.0', major: 4, minor: 0, is: true },
    { version: '4.3.0-rc.1', major: 4, minor: 2, is: true },
    { version: '10.1.0', major: 4, minor: 2, is: true },
    { version: 'unknown', major: 1, minor: 0, is: false },
  ])('$version is at least $major.$minor: $is', ({ version, major, minor, is }) =>
    expect(isAtLeast({ product: 'RabbitMQ', version }, major, minor)).toBe(is),
  );
});
