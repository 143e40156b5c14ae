export { readPublicKey, WeakKeyError, type PublicKeyInfo } from './public-key.ts';
export { open, seal, SealError } from './seal.ts';
export {
  deriveKey,
  SCRYPT,
  WrongSecretKindError,
  type KeyDerivation,
  type KeyEncryptionSecret,
} from './key-encryption-key.ts';
