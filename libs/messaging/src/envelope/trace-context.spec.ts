import fc from 'fast-check';
import { parseTraceparent, traceparentOf } from './trace-context.ts';

describe('traceparent', () => {
  test('survives being written and read', () => {
    const hex = (length: number) =>
      fc
        .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length })
        .filter((text) => /[1-9a-f]/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.constantFrom(0, 1), (traceId, spanId, traceFlags) => {
        expect(parseTraceparent(traceparentOf({ traceId, spanId, traceFlags }))).toEqual({
          traceId,
          spanId,
          traceFlags,
          isRemote: true,
        });
      }),
    );
  });

  test.each([
    '',
    'nonsense',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    7,
    undefined,
  ])('that is not valid (%p) is taken for none', (header) => expect(parseTraceparent(header)).toBeUndefined());

  test('is not written where there is no trace', () => {
    expect(traceparentOf(undefined)).toBeUndefined();
    expect(traceparentOf({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 })).toBeUndefined();
  });
});
