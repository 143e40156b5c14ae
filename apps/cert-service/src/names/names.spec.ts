import fc from 'fast-check';
import { DerReader, write } from '../der/index.ts';
import {
  encodeName,
  inRange,
  ipOctets,
  ipText,
  nameText,
  normaliseDnsName,
  normaliseIp,
  parseIpRange,
  readName,
  type DistinguishedName,
} from './index.ts';

describe('DNS names', () => {
  test.each([
    ['Shop.Example', 'shop.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['*.Shop.Example', '*.shop.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['localhost', 'localhost'],
    ['a-b.c3.d', 'a-b.c3.d'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%s becomes %s, and stays so', (given, expected) => {
    expect(normaliseDnsName(given)).toBe(expected);
    expect(normaliseDnsName(expected)).toBe(expected);
  });

  test.each([
    ['', 'it is empty'],
    ['shop.example.', 'final dot'],
    ['a..b', 'empty label'],
    ['.example', 'empty label'],
    ['-a.example', 'inner hyphens'],
    ['a_b.example', 'letters, digits'],
    ['a b.example', 'characters that no DNS name has'],
    ['*', '"*" may only'],
    ['w*.example', '"*" may only'],
    ['*.*.example', '"*" may only'],
    ['127.1', 'an IP address belongs'],
    ['10.0.0.1', 'an IP address belongs'],
    ['0x7f.1', 'an IP address belongs'],
    ['%41.example', 'letters, digits'],
    ['ü%41.example', 'characters that no DNS name has'],
    ['ü/x.example', 'characters that no DNS name has'],
    ['xn--zzzzzzzzzz99999999', 'A-label'],
    ['xn--a.example', 'A-label'],
    ['xn--.example', 'letters, digits'],
    ['ab--cd.example', 'reserved'],
    [`${'a'.repeat(64)}.example`, 'at most 63'],
    [`${'a.'.repeat(127)}example`, 'at most 253'],
    ['shop\0.example', 'characters that no DNS name has'],
  ])('refuses %j: %s', (given, says) => {
    expect(() => normaliseDnsName(given)).toThrow(says);
  });

  test('any text either becomes a name in lower-case LDH labels, or is refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.string({ unit: 'grapheme' })), (text) => {
        let name: string;
        try {
          name = normaliseDnsName(text);
        } catch (error) {
          expect((error as Error).name).toBe('NameError');
          return;
        }
        expect(name).toMatch(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
        expect(normaliseDnsName(name)).toBe(name);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('IP addresses', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['FD00::0001', 'fd00::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
  ])('%s becomes %s (RFC 5952)', (given, expected) => {
    expect(normaliseIp(given)).toBe(expected);
  });

  test.each(['10.0.0', '10.0.0.256', '010.0.0.1', 'fe80::1%eth0', '1::2::3', 'shop', ''])('refuses %j', (given) => {
    expect(() => normaliseIp(given)).toThrow('is no IPv4 or IPv6 address');
  });

  test('octets become text and the same octets again, as the URL parser has it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const text = ipText(octets);
        expect(ipOctets(text)).toEqual(Buffer.from(octets));
        if (!text.startsWith('::ffff:')) expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (octets) => {
        expect(ipOctets(ipText(octets))).toEqual(Buffer.from(octets));
      }),
    );
  });

  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.128.0.0/9', '10.127.255.255', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.7', '192.168.1.8', false],
  ])('%s holds %s: %s', (range, address, expected) => {
    expect(inRange(parseIpRange(range), address)).toBe(expected);
  });

  test('a range with bits beyond its prefix is refused with the one that was meant', () => {
    expect(() => parseIpRange('10.1.2.3/8')).toThrow('did you mean 10.0.0.0/8?');
    expect(() => parseIpRange('10.0.0.0/33')).toThrow('0 to 32');
  });
});

describe('distinguished names', () => {
  const attribute = fc.oneof(
    fc.record({
      type: fc.constantFrom('CN', 'O', 'OU', 'L', 'ST'),
      // Control characters are refused; lone surrogates are no text.
      value: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !/\p{Cc}/u.test(text)),
    }),
    fc.record({ type: fc.constant('C'), value: fc.stringMatching(/^[A-Z]{2}$/) }),
  );
  const name = fc.array(fc.uniqueArray(attribute, { minLength: 1, maxLength: 2, selector: ({ type }) => type }), {
    maxLength: 4,
  });

  test('what is written is read back; in a set the order is that of DER', () => {
    fc.assert(
      fc.property(name, (given) => {
        const read = readName(new DerReader(encodeName(given)), 'subject');
        const sorted = (one: DistinguishedName) =>
          one.map((set) => set.toSorted((left, right) => (left.type < right.type ? -1 : 1)));
        expect(sorted(read.map((set) => [...set]))).toEqual(sorted(given));
        expect(encodeName(read)).toEqual(encodeName(given));
      }),
    );
  });

  test('RFC 4514 text has the last name first and special characters escaped', () => {
    const text = nameText([[{ type: 'O', value: 'A, "B" & C' }], [{ type: 'CN', value: ' #x ' }]]);
    expect(text).toBe('CN=\\ #x\\ ,O=A\\, \\"B\\" & C');
  });

  test.each([
    { name: 'a common name of 65 characters', value: write.utf8String('x'.repeat(65)), says: 'at most 64' },
    { name: 'an empty one', value: write.utf8String(''), says: 'is empty' },
    { name: 'control characters', value: write.utf8String('a\0b'), says: 'control characters' },
    { name: 'broken UTF-8', value: write.der(0x0c, Buffer.from([0xff])), says: 'valid characters' },
    { name: 'a PrintableString with other characters', value: write.printableString('a#b'), says: 'valid characters' },
    { name: 'a number', value: write.integer(5), says: 'string of a known type' },
  ])('refuses $name', ({ value, says }) => {
    const der = write.sequence(write.setOf(write.sequence(write.oid('2.5.4.3'), value)));
    expect(() => readName(new DerReader(der), 'subject')).toThrow(says);
  });
});
