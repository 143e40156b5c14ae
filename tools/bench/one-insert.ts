import { build } from 'hdr-histogram-js';
import pg from 'pg';

export interface OneInsert {
  readonly perSecond: number;
  /** Of one transaction at that rate, ms. */
  readonly p99: number;
}

/** Durable transactions of one INSERT each over so many connections: what the same server and its disk can do at most. */
export async function oneInsert(adminUrl: string, connections: number, seconds: number): Promise<OneInsert> {
  const pool = new pg.Pool({ connectionString: adminUrl, max: connections });
  await pool.query(
    'CREATE TABLE IF NOT EXISTS one_insert (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)',
  );
  const body = 'x'.repeat(200);
  let count = 0;
  const micros = build({ highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
  const end = performance.now() + seconds * 1000;
  const worker = async (): Promise<void> => {
    const client = await pool.connect();
    while (performance.now() < end) {
      const begun = performance.now();
      await client.query({ name: 'insert', text: 'INSERT INTO one_insert (body) VALUES ($1)', values: [body] });
      micros.recordValue(Math.round((performance.now() - begun) * 1_000));
      count += 1;
    }
    client.release();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  const perSecond = count / ((performance.now() - started) / 1000);
  await pool.query('DROP TABLE one_insert');
  await pool.end();
  return { perSecond, p99: micros.getValueAtPercentile(99) / 1_000 };
}
