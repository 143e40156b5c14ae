import type { Database } from '@keelson/persistence';

const NAMES = ['Teapot', 'Lamp', 'Notebook', 'Chair', 'Umbrella', 'Clock', 'Blanket', 'Bicycle bell'];

// Only into an empty table: a later start must not put back what was sold. Several processes may come at once.
const seed = /* sql */ `
INSERT INTO articles (sku, name, price_cents, received, available)
SELECT sku, name, price_cents, $4, $4
  FROM unnest($1::text[], $2::text[], $3::int[]) AS a(sku, name, price_cents)
 WHERE NOT EXISTS (SELECT 1 FROM articles)
ON CONFLICT DO NOTHING`;

/** Puts the first articles on the shelf: SKU-001 and on, `units` of each. Returns how many articles it added. */
export async function seedArticles(
  database: Database,
  { articles, units }: { articles: number; units: number },
): Promise<number> {
  const rows = Array.from({ length: articles }, (_, index) => ({
    sku: `SKU-${String(index + 1).padStart(3, '0')}`,
    name: NAMES[index % NAMES.length]!,
    cents: 990 + 500 * index,
  }));
  return await database.execute(seed, [
    rows.map((row) => row.sku),
    rows.map((row) => row.name),
    rows.map((row) => row.cents),
    units,
  ]);
}
