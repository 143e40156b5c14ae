import pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import type { CarryOut } from './carry-out.ts';

export const killDatabase: CarryOut = async ({ place, fault, say }) => {
  place.postgres.kill('SIGKILL');
  say('kill -9 of PostgreSQL');
  await pause(fault.outageMs);
  await place.postgres.restart();
  say('PostgreSQL is up again');
};

export const restartDatabase: CarryOut = async ({ place, fault, say }) => {
  place.postgres.kill('SIGINT');
  say('fast shutdown of PostgreSQL');
  await pause(fault.outageMs);
  await place.postgres.restart();
  say('PostgreSQL is up again');
};

export const endBackends: CarryOut = async ({ place, say }) => {
  const client = new pg.Client({ connectionString: place.postgres.adminUrl });
  await client.connect();
  const { rowCount } = await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'orders' AND pid <> pg_backend_pid()",
  );
  await client.end();
  say(`PostgreSQL has ended ${rowCount} connections`);
};
