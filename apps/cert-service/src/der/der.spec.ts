import fc from 'fast-check';
import { DerError, DerReader, TAG, fromPemOrBase64, PemError, toPem, write } from './index.ts';

/** A value that DER can hold, as a tree. */
type Tree = { kind: 'primitive'; tag: number; content: Uint8Array } | { kind: 'constructed'; children: Tree[] };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('primitive' as const),
      tag: fc.constantFrom(TAG.octetString, TAG.utf8String, 0x80, 0x9e),
      content: fc.uint8Array({ maxLength: 300 }),
    }),
    fc.record({ kind: fc.constant('constructed' as const), children: fc.array(tie('tree'), { maxLength: 4 }) }),
  ),
}));

const encode = (node: Tree): Buffer =>
  node.kind === 'primitive' ? write.der(node.tag, node.content) : write.sequence(...node.children.map(encode));

function decode(reader: DerReader): Tree {
  if (reader.peek() !== TAG.sequence) {
    const { tag, contentStart, end } = reader.element('a value');
    return { kind: 'primitive', tag, content: new Uint8Array(reader.bytes.subarray(contentStart, end)) };
  }
  const inner = reader.enter('a sequence');
  const children: Tree[] = [];
  while (!inner.done) children.push(decode(inner));
  return { kind: 'constructed', children };
}

describe('DER', () => {
  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const reader = new DerReader(encode(node));
        expect(decode(reader)).toEqual(node);
        reader.finish('the tree');
      }),
    );
  });

  test('whatever the octets are, reading them ends in a value or a DerError with an offset inside of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
        try {
          decode(new DerReader(Buffer.from(octets)));
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
          expect((error as DerError).offset).toBeLessThanOrEqual(octets.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a truncated encoding is refused wherever it is cut', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (node, at) => {
        const whole = encode(node);
        const cut = whole.subarray(0, at % whole.length);
        expect(() => decode(new DerReader(cut))).toThrow(DerError);
      }),
    );
  });

  test.each([
    { name: 'an indefinite length', hex: '308002010100000', says: 'byte 1: x has an indefinite length' },
    { name: 'a length that fits one octet written in two', hex: '30810502030102030', says: 'byte 1: the length of x' },
    {
      name: 'a length with a leading zero',
      hex: '3082000300000000',
      says: 'byte 1: the length of x is not in its shortest',
    },
    { name: 'a length of five octets', hex: '30850000000001aa', says: 'byte 1: x has a length of 5 octets' },
    { name: 'a multi-octet tag', hex: '3f8101', says: 'byte 0: x has a multi-octet tag' },
    {
      name: 'a length beyond the end',
      hex: '300a0201',
      says: 'byte 0: truncated: x claims 10 octets, only 2 are left',
    },
    { name: 'no length', hex: '30', says: 'byte 1: truncated: the length of x is missing' },
    { name: 'nothing', hex: '', says: 'byte 0: x is missing' },
  ])('refuses $name', ({ hex, says }) => {
    expect(() => new DerReader(Buffer.from(hex, 'hex')).element('x')).toThrow(says);
  });

  test.each([
    { hex: '0200', says: 'without content' },
    { hex: '02020001', says: 'superfluous leading octets' },
    { hex: '0202ff80', says: 'superfluous leading octets' },
  ])('refuses the INTEGER $hex', ({ hex, says }) => {
    expect(() => new DerReader(Buffer.from(hex, 'hex')).integer('x')).toThrow(says);
  });

  test('non-negative numbers are written in minimal form and read back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x7fffffff }), (value) => {
        expect(new DerReader(write.integer(value)).smallInteger('x')).toBe(value);
      }),
    );
    expect(write.integer(127).toString('hex')).toBe('02017f');
    expect(write.integer(128).toString('hex')).toBe('02020080');
    expect(write.integer(0).toString('hex')).toBe('020100');
  });

  test.each(['1.2.840.113549.1.1.11', '2.999.3', '2.5.29.17', '1.3.6.1.4.1.311.21.20', '0.9.2342.19200300.100.1.25'])(
    'the object identifier %s is written and read back',
    (dotted) => {
      expect(new DerReader(write.oid(dotted)).oid('x')).toBe(dotted);
    },
  );

  test('named bits lose their trailing zeros', () => {
    expect(write.namedBits(0).toString('hex')).toBe('03020780');
    expect(write.namedBits(5, 6).toString('hex')).toBe('03020106');
    expect(write.namedBits().toString('hex')).toBe('030100');
  });

  test('times through 2049 are UTCTime, later ones GeneralizedTime, and both are read back', () => {
    const edge = new Date('2050-01-01T00:00:00Z');
    expect(write.time(new Date(edge.getTime() - 1000))[0]).toBe(TAG.utcTime);
    expect(write.time(edge)[0]).toBe(TAG.generalizedTime);
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1950-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          const second = new Date(Math.floor(date.getTime() / 1000) * 1000);
          expect(new DerReader(write.time(second)).time('x')).toEqual(second);
        },
      ),
    );
  });

  test.each(['260230120000Z', '261301000000Z', '260101240000Z', '2601010000Z', '260101000000+0100'])(
    'refuses the time %s',
    (text) => {
      expect(() => new DerReader(write.der(TAG.utcTime, Buffer.from(text))).time('x')).toThrow(DerError);
    },
  );

  test('trailing octets are found where they begin', () => {
    const reader = new DerReader(Buffer.from('0201010500', 'hex'));
    reader.integer('x');
    expect(() => reader.finish('x')).toThrow('byte 3: 2 trailing octets after x');
  });
});

describe('PEM', () => {
  test('what is written is read back, also as bare base64 and with other line ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), (octets) => {
        const bytes = Buffer.from(octets);
        const pem = toPem('CERTIFICATE REQUEST', bytes);
        for (const text of [pem, pem.replaceAll('\n', '\r\n'), bytes.toString('base64'), `  ${pem}\n\n`]) {
          expect(fromPemOrBase64(text, ['CERTIFICATE REQUEST'])).toEqual(bytes);
        }
      }),
    );
  });

  test.each([
    { name: 'another label', text: toPem('CERTIFICATE', Buffer.from('x')), says: 'is a "CERTIFICATE"' },
    {
      name: 'different labels',
      text: '-----BEGIN A-----\nAAAA\n-----END B-----\n',
      says: 'begins as "A" and ends as "B"',
    },
    { name: 'a missing end', text: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n', says: 'frame is incomplete' },
    {
      name: 'text around it',
      text: `hello\n${toPem('CERTIFICATE REQUEST', Buffer.from('x'))}`,
      says: 'text around it',
    },
    {
      name: 'two blocks',
      text: toPem('CERTIFICATE REQUEST', Buffer.from('x')).repeat(2),
      says: 'more than one PEM block',
    },
    { name: 'no base64', text: 'hello, world', says: 'neither PEM nor base64' },
    { name: 'a strange character', text: 'AAAA!AAA', says: 'character "!" at 4' },
    { name: 'nothing', text: '   ', says: 'it is empty' },
  ])('refuses $name', ({ text, says }) => {
    expect(() => fromPemOrBase64(text, ['CERTIFICATE REQUEST'])).toThrow(PemError);
    expect(() => fromPemOrBase64(text, ['CERTIFICATE REQUEST'])).toThrow(says);
  });
});
