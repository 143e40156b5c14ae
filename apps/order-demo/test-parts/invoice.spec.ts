import { ensurePart, privateFolder, removePrivateFolder } from '@keelson/testing';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Invoice, renderInvoice } from '../src/documents/invoice.ts';

const run = promisify(execFile);
const invoice: Invoice = {
  number: 'SO-2026-000042',
  customer: 'Ada',
  lines: [
    { sku: 'SKU-001', name: 'Teapot', quantity: 2, priceCents: 990 },
    { sku: 'SKU-002', name: 'Lamp', quantity: 1000, priceCents: 149_000 },
  ],
  totalCents: 149_001_980,
  date: new Date('2026-03-01T12:00:00.000Z'),
};

describe('invoices, read by Poppler', () => {
  let folder: string;
  beforeAll(async () => {
    await ensurePart('poppler');
    folder = privateFolder('invoice');
  });
  afterAll(() => removePrivateFolder(folder));

  /** What a reader shows, and what Poppler complains about. */
  const read = async (fields: Partial<Invoice> = {}) => {
    const file = join(folder, 'invoice.pdf');
    writeFileSync(file, await renderInvoice({ ...invoice, ...fields }));
    const { stdout, stderr } = await run('pdftotext', ['-layout', '-enc', 'UTF-8', file, '-']);
    const info = await run('pdfinfo', [file]);
    return { text: stdout, complaints: stderr + info.stderr, info: info.stdout };
  };

  test('say number, date, customer, each line and the total, on one page of A4', async () => {
    const { text, complaints, info } = await read();
    expect(complaints).toBe('');
    expect(text).toContain('Invoice SO-2026-000042');
    expect(text).toContain('Date: 2026-03-01');
    expect(text).toContain('Customer: Ada');
    expect(text).toMatch(/SKU-001 +Teapot +2 +9\.90 +19\.80/);
    expect(text).toMatch(/SKU-002 +Lamp +1000 +1,490\.00 +1,490,000\.00/);
    expect(text).toMatch(/Total +EUR +1,490,019\.80/);
    expect(info).toMatch(/Title: +Invoice SO-2026-000042/);
    expect(info).toMatch(/Pages: +1\n/);
    expect(info).toMatch(/Page size: .*A4/);
  });

  test.each(['Łukasz Żółć', 'Πλάτων', 'Анна', 'Zoë & Søren <AG>', '"(Ada)\\ %PDF'])(
    'name the customer %s',
    async (customer) => {
      const { text, complaints } = await read({ customer });
      expect(complaints).toBe('');
      expect(text).toContain(`Customer: ${customer}`);
    },
  );

  test('go on over several pages with all of a hundred lines', async () => {
    const lines = Array.from({ length: 100 }, (_, n) => ({
      sku: `SKU-${n}`,
      name: 'Clock',
      quantity: 1,
      priceCents: 1,
    }));
    const { text, info, complaints } = await read({ lines, totalCents: 100 });
    expect(complaints).toBe('');
    expect(Number(/Pages: +(\d+)/.exec(info)?.[1])).toBeGreaterThan(1);
    for (const { sku } of lines) expect(text).toMatch(new RegExp(`${sku} +Clock`));
  });

  test('are the same bytes for the same order, in whichever font', async () => {
    for (const customer of ['Ada', 'Łukasz']) {
      const [one, other] = await Promise.all([
        renderInvoice({ ...invoice, customer }),
        renderInvoice({ ...invoice, customer }),
      ]);
      expect(one.equals(other)).toBe(true);
    }
  });
});
