import pg from 'pg';

/** Durable transactions of one INSERT each, per second, over so many connections: what the same server can do at most. */
export async function oneInsertRate(adminUrl: string, connections: number, seconds: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: adminUrl, max: connections });
  await pool.query(
    'CREATE TABLE IF NOT EXISTS one_insert (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)',
  );
  const body = 'x'.repeat(200);
  let count = 0;
  const end = performance.now() + seconds * 1000;
  const worker = async (): Promise<void> => {
    const client = await pool.connect();
    while (performance.now() < end) {
      await client.query({ name: 'insert', text: 'INSERT INTO one_insert (body) VALUES ($1)', values: [body] });
      count += 1;
    }
    client.release();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  const rate = count / ((performance.now() - started) / 1000);
  await pool.query('DROP TABLE one_insert');
  await pool.end();
  return rate;
}
