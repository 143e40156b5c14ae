import type { Database, Tx } from '@keelson/persistence';
import { ConfigError } from '@keelson/service-kit';
import { randomBytes } from 'node:crypto';
import { toPem } from '../der/index.ts';
import {
  deriveKey,
  open,
  seal,
  SCRYPT,
  SealError,
  WrongSecretKindError,
  type KeyDerivation,
  type KeyEncryptionSecret,
} from '../keys/index.ts';
import { uuidV7 } from '../storage/uuid-v7.ts';
import { createAuthority } from './create.ts';
import { Issuer } from './issuer.ts';

/** The authority as the rest of the service knows it. The root's key stays sealed: nothing here signs with it. */
export interface Authority {
  readonly id: string;
  readonly name: string;
  /** PEM of the trust anchor. */
  readonly root: string;
  readonly rootNotAfter: Date;
  readonly issuer: Issuer;
}

interface AuthorityRow {
  readonly id: string;
  readonly name: string;
  readonly root_certificate: Buffer;
  readonly intermediate_certificate: Buffer;
  readonly intermediate_key: Buffer;
}

const PROBE = Buffer.from('keelson cert-service key encryption');
const purpose = (id: string, part: 'root' | 'intermediate'): string => `the ${part} key of authority ${id}`;

/**
 * Opens the authority of this database, and makes it at the first start. All of it happens under a lock, so that replicas
 * which start together share one. Throws ConfigError where the secret does not open the stored keys.
 */
export async function openAuthority(options: {
  readonly database: Database;
  readonly secret: KeyEncryptionSecret;
  readonly name: string;
  readonly now: Date;
}): Promise<{ authority: Authority; created: boolean }> {
  const { database, secret, name, now } = options;
  return database.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended('cert-service.authority', 0))");
    const key = await keyEncryptionKey(tx, secret);
    const stored = await tx.query<AuthorityRow>(
      `select id, name, root_certificate, intermediate_certificate, intermediate_key
       from authorities order by created_at limit 1`,
    );
    if (stored[0] !== undefined) return { authority: unseal(stored[0], key), created: false };
    return { authority: unseal(await create(tx, key, name, now), key), created: true };
  });
}

function unseal(row: AuthorityRow, key: Buffer): Authority {
  const secret = open(key, purpose(row.id, 'intermediate'), row.intermediate_key);
  try {
    return {
      id: row.id,
      name: row.name,
      root: toPem('CERTIFICATE', row.root_certificate),
      rootNotAfter: Issuer.validityOf(row.root_certificate).notAfter,
      issuer: new Issuer(row.intermediate_certificate, secret),
    };
  } finally {
    secret.fill(0);
  }
}

async function create(tx: Tx, key: Buffer, name: string, now: Date): Promise<AuthorityRow> {
  const id = uuidV7(now);
  const { root, intermediate } = createAuthority(name, now);
  const row = {
    id,
    name,
    root_certificate: root.certificate,
    intermediate_certificate: intermediate.certificate,
    intermediate_key: seal(key, purpose(id, 'intermediate'), intermediate.key),
  };
  await tx.query(
    `insert into authorities (id, name, root_certificate, root_key, intermediate_certificate, intermediate_key, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      id,
      name,
      root.certificate,
      seal(key, purpose(id, 'root'), root.key),
      intermediate.certificate,
      row.intermediate_key,
      now,
    ],
  );
  await tx.query('insert into revocation_lists (authority_id) values ($1)', [id]);
  root.key.fill(0);
  intermediate.key.fill(0);
  return row;
}

/** The key under which keys are encrypted here; at the first start its derivation and a probe are stored. */
async function keyEncryptionKey(tx: Tx, secret: KeyEncryptionSecret): Promise<Buffer> {
  const variable = secret.kind === 'key' ? 'KEY_ENCRYPTION_KEY' : 'KEY_ENCRYPTION_PASSPHRASE';
  const [stored] = await tx.query<{ derivation: KeyDerivation; probe: Buffer }>(
    'select derivation, probe from key_encryption',
  );
  try {
    if (stored === undefined) {
      const derivation: KeyDerivation =
        secret.kind === 'key'
          ? { kind: 'none' }
          : { kind: 'scrypt', salt: randomBytes(16).toString('base64'), ...SCRYPT };
      const key = await deriveKey(secret, derivation);
      await tx.query('insert into key_encryption (derivation, probe) values ($1, $2)', [
        JSON.stringify(derivation),
        seal(key, 'probe', PROBE),
      ]);
      return key;
    }
    const key = await deriveKey(secret, stored.derivation);
    open(key, 'probe', stored.probe);
    return key;
  } catch (error) {
    if (error instanceof SealError) {
      const detail = `is not the one that the keys in this database were encrypted under; give that one, or use an empty database (which makes a new authority)`;
      throw new ConfigError([{ name: variable, detail }]);
    }
    if (error instanceof WrongSecretKindError) throw new ConfigError([{ name: variable, detail: error.message }]);
    throw error;
  }
}
