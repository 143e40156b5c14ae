import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

export interface DatabaseOptions {
  name: string;
  /** The database's owner, made if it is not there. Default: as the database. */
  role?: string;
  /** Default: a random one. */
  password?: string;
}

/** Runs statements as the administrator whose URL is given, on a connection of its own. */
export async function asAdministrator<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // the server ended the connection: the query in flight, or the next, rejects
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined); // the work's own error matters more
  }
}

/**
 * Makes a database with a role of its own that owns it, and returns its URL. No other role may connect to it. What is
 * there already stays; the role's password is set anew.
 */
export async function createDatabase(
  adminUrl: string,
  { name, role = name, password = randomBytes(12).toString('hex') }: DatabaseOptions,
): Promise<string> {
  await asAdministrator(adminUrl, async (client) => {
    const [database, owner, secret] = [
      pg.escapeIdentifier(name),
      pg.escapeIdentifier(role),
      pg.escapeLiteral(password),
    ];
    const roles = await client.query('select 1 from pg_roles where rolname = $1', [role]);
    await client.query(`${roles.rowCount === 0 ? 'create' : 'alter'} role ${owner} login password ${secret}`);
    const databases = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (databases.rowCount === 0) await client.query(`create database ${database} owner ${owner}`);
    await client.query(`revoke connect, temporary on database ${database} from public`);
  });
  const url = new URL(adminUrl);
  [url.username, url.password, url.pathname] = [encodeURIComponent(role), encodeURIComponent(password), `/${name}`];
  return url.href;
}

/** Connections that are just being closed have so long to go by themselves. */
const GOING_MS = 2_000;

/**
 * Drops a database, and its role. Connections that are still there after two seconds are ended: a client that is just
 * closing takes that for a fault, so it is not done at once.
 */
export async function dropDatabase(
  adminUrl: string,
  { name, role = name }: { name: string; role?: string },
): Promise<void> {
  await asAdministrator(adminUrl, async (client) => {
    const deadline = performance.now() + GOING_MS;
    const connected = 'select 1 from pg_stat_activity where datname = $1 limit 1';
    while (performance.now() < deadline && (await client.query(connected, [name])).rowCount !== 0) await pause(20);
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
    await client.query(`drop role if exists ${pg.escapeIdentifier(role)}`);
  });
}
