import fc from 'fast-check';
import { AddressPool, rangeOfCidr, rangesToTry, toLoopback, toPodNetwork } from './addresses.ts';

const octet = fc.integer({ min: 0, max: 255 });

describe('pod addresses', () => {
  test('map to loopback and back without loss', () => {
    fc.assert(
      fc.property(octet, octet, octet, (a, b, c) => {
        expect(toLoopback(`10.${a}.${b}.${c}`)).toBe(`127.${a}.${b}.${c}`);
        expect(toPodNetwork(toLoopback(`10.${a}.${b}.${c}`))).toBe(`10.${a}.${b}.${c}`);
      }),
    );
  });

  test('an address outside of 10/8 is left alone', () => {
    expect(toLoopback('192.168.10.1')).toBe('192.168.10.1');
    expect(toLoopback('110.1.1.1')).toBe('110.1.1.1');
  });

  test('the range is read from a /16 of 10/8 only', () => {
    expect(rangeOfCidr('10.117.0.0/16')).toBe(117);
    expect(rangeOfCidr('10.117.0.0/24')).toBeUndefined();
    expect(rangeOfCidr('192.168.0.0/16')).toBeUndefined();
    expect(rangeOfCidr(undefined)).toBeUndefined();
  });

  test('every range is tried once, the former one first', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer({ min: 100, max: 250 }), { nil: undefined }), (name, former) => {
        const ranges = rangesToTry(name, former);
        expect(new Set(ranges).size).toBe(151);
        expect(ranges).toHaveLength(151);
        if (former !== undefined) expect(ranges[0]).toBe(former);
      }),
    );
  });

  test('no two pods share an address, and a pod keeps the one it has', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean())), (steps) => {
        const pool = new AddressPool(117);
        const held = new Map<string, string>();
        for (const [pod, release] of steps) {
          if (release) {
            pool.release(pod);
            held.delete(pod);
          } else {
            const address = pool.take(pod);
            expect(held.get(pod) ?? address).toBe(address);
            held.set(pod, address);
          }
          expect(new Set(held.values()).size).toBe(held.size);
        }
      }),
    );
  });

  test('a pod gets the address of its status back, unless another has it', () => {
    const pool = new AddressPool(117);
    expect(pool.take('a', '10.117.3.9')).toBe('10.117.3.9');
    expect(pool.take('b', '10.117.3.9')).not.toBe('10.117.3.9');
    expect(pool.take('c', '10.118.3.9')).toMatch(/^10\.117\./);
  });
});
