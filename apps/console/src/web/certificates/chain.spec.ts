import { octets, pemBlocks } from './chain.ts';

const block = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;

test('a chain is taken apart, whatever stands between', () => {
  expect(pemBlocks(`${block('AAA=')}\nsubject: x\n${block('BBB=')}\n`)).toEqual([block('AAA='), block('BBB=')]);
  expect(pemBlocks('nothing')).toEqual([]);
});

test('a serial number is taken apart into its octets', () => {
  expect(octets('440e44')).toEqual(['44', '0e', '44']);
  expect(octets('')).toEqual([]);
});
