import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { deriveKey, open, seal, SealError, WrongSecretKindError } from './index.ts';

describe('keys at rest', () => {
  const key = randomBytes(32);

  test('what is sealed is opened by the same key for the same purpose', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (plain, purpose) => {
        expect(open(key, purpose, seal(key, purpose, Buffer.from(plain)))).toEqual(Buffer.from(plain));
      }),
    );
  });

  test('another key, another purpose, or any octet changed does not open it', () => {
    const sealed = seal(key, 'root', Buffer.from('secret'));
    expect(() => open(randomBytes(32), 'root', sealed)).toThrow(SealError);
    expect(() => open(key, 'intermediate', sealed)).toThrow('intermediate cannot be opened');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => open(key, 'root', changed)).toThrow(SealError);
      expect(() => open(key, 'root', sealed.subarray(0, at))).toThrow(SealError);
    }
  });

  test('the same is never sealed twice alike, and the plain text is not in it', () => {
    const plain = Buffer.from('a private key');
    const [one, other] = [seal(key, 'x', plain), seal(key, 'x', plain)];
    expect(one).not.toEqual(other);
    expect(one.includes(plain)).toBe(false);
  });

  test('a passphrase gives the same key from the same salt, however its accents are written', async () => {
    const derivation = { kind: 'scrypt', salt: 'c2FsdHNhbHQ=', n: 1024, r: 8, p: 1 } as const;
    const derive = (passphrase: string) => deriveKey({ kind: 'passphrase', passphrase }, derivation);
    expect(await derive('caf\u00e9 correct horse')).toEqual(await derive('cafe\u0301 correct horse'));
    expect(await derive('cafe correct horse')).not.toEqual(await derive('caf\u00e9 correct horse'));
  });

  test('a key does not stand in for a passphrase, nor the other way round', async () => {
    await expect(deriveKey({ kind: 'key', key }, { kind: 'scrypt', salt: '', n: 2, r: 1, p: 1 })).rejects.toThrow(
      'set KEY_ENCRYPTION_PASSPHRASE instead',
    );
    await expect(deriveKey({ kind: 'passphrase', passphrase: 'x' }, { kind: 'none' })).rejects.toThrow(
      WrongSecretKindError,
    );
  });
});
