import { hash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { SCOPES } from '@keelson/contracts';
import { z } from 'zod';
import { logger } from '../observe/logger.ts';
import { type CredentialVerifier, type Principal, principal } from './principal.ts';

const log = logger('auth');

const tokensSchema = z.array(
  z.strictObject({
    name: z.string().min(1),
    team: z.string().min(1),
    scopes: z.array(z.enum(['*', ...SCOPES])).min(1),
    sha256: z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits: the SHA-256 of the token'),
  }),
);

interface Entry {
  readonly hash: Buffer;
  readonly principal: Principal;
}

/** How often the file is looked at, at most; a token that is taken out stops working within this time. */
const LOOK_EVERY_MS = 1_000;

/**
 * Tokens from a JSON file that holds only their SHA-256 (a token has 256 random bits, so a slow hash would add nothing).
 * The file is read again when it changes; a bad new file is logged and the last good one stays in force.
 */
export class FileTokens implements CredentialVerifier {
  readonly #path: string;
  #entries: readonly Entry[];
  #stamp = '';
  // Monotonic: a wall clock that is set back must not keep a token alive that was taken out.
  #lookedAt = performance.now();
  #looking: Promise<void> | undefined;

  private constructor(path: string, entries: readonly Entry[]) {
    this.#path = path;
    this.#entries = entries;
  }

  /** @throws Error naming the file and what is wrong with it. */
  static async open(path: string): Promise<FileTokens> {
    return new FileTokens(path, await readEntries(path));
  }

  async verify(bearer: string): Promise<Principal | undefined> {
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
    const presented = hash('sha256', bearer, 'buffer');
    let found: Principal | undefined;
    // Every entry is compared, each in constant time, so that the time tells nothing about where a match is.
    for (const entry of this.#entries) if (timingSafeEqual(entry.hash, presented)) found = entry.principal;
    return found;
  }

  async #look(): Promise<void> {
    this.#lookedAt = performance.now();
    try {
      const stamp = await stampOf(this.#path);
      if (stamp === this.#stamp) return;
      this.#stamp = stamp;
      this.#entries = await readEntries(this.#path);
      log.info({ file: this.#path, tokens: this.#entries.length }, 'tokens were read again');
    } catch (error) {
      log.error({ file: this.#path, reason: (error as Error).message }, 'the tokens before the change stay in force');
    }
  }
}

/** Changes with every way of replacing a file, also with Kubernetes' switch of a symbolic link. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${ino}/${size}/${mtimeNs}`;
}

async function readEntries(path: string): Promise<readonly Entry[]> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`TOKENS_FILE ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const result = tokensSchema.safeParse(content);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
    throw new Error(`TOKENS_FILE ${path} is not a list of {name, team, scopes, sha256}: ${faults.join('; ')}`);
  }
  return result.data.map(({ sha256, ...owner }) => ({ hash: Buffer.from(sha256, 'hex'), principal: principal(owner) }));
}
