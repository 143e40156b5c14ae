import { createRequire } from 'node:module';

/** What an invoice says. */
export interface Invoice {
  number: string;
  customer: string;
  lines: readonly { sku: string; name: string; quantity: number; priceCents: number }[];
  totalCents: number;
  /** Of the order; also the document's own date, so that the same order gives the same bytes. */
  date: Date;
}

const require = createRequire(import.meta.url);
// Windows-1252, which the fonts that every reader has can show (PDF 32000-1, annex D); without control characters.
const STANDARD = /^[\u0020-\u007e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/;
const COLUMNS = { sku: 60, name: 140, quantity: 330, price: 390, amount: 470 } as const;
const BOTTOM = 740;

/**
 * The invoice as PDF, A4. The same invoice gives the same bytes. A name that the standard fonts cannot show is set in
 * DejaVu Sans, whose glyphs are put into the file: that takes twenty times as long, so it is done only where needed.
 */
export async function renderInvoice(invoice: Invoice): Promise<Buffer> {
  const font = STANDARD.test([invoice.customer, ...invoice.lines.flatMap(({ sku, name }) => [sku, name])].join(''))
    ? 'Helvetica'
    : require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
  // Loaded with the first invoice: every role starts from here, and most never make one.
  const { default: Pdf } = await import('pdfkit');
  const document = new Pdf({
    size: 'A4',
    margin: 60,
    font,
    lang: 'en',
    info: {
      Title: `Invoice ${invoice.number}`,
      Author: 'Keelson order demo',
      Producer: 'Keelson',
      Creator: 'Keelson',
      CreationDate: invoice.date,
    },
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => document.once('end', resolve).once('error', reject));
  write(document, invoice);
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

function write(document: PDFKit.PDFDocument, invoice: Invoice): void {
  document.fontSize(20).text(`Invoice ${invoice.number}`, 60, 60);
  document.fontSize(10).text(`Date: ${invoice.date.toISOString().slice(0, 10)}`, 60, 95);
  document.text(`Customer: ${printable(invoice.customer)}`, 60, 110, { width: 475, height: 24, ellipsis: true });
  let y = 150;
  const row = (cells: Record<keyof typeof COLUMNS, string>) => {
    const options = { lineBreak: false, ellipsis: true };
    document.text(cells.sku, COLUMNS.sku, y, { ...options, width: 75 });
    document.text(cells.name, COLUMNS.name, y, { ...options, width: 185 });
    for (const name of ['quantity', 'price', 'amount'] as const) {
      document.text(cells[name], COLUMNS[name], y, { ...options, width: 65, align: 'right' });
    }
    y += 16;
    if (y > BOTTOM) {
      document.addPage();
      y = 60;
    }
  };
  row({ sku: 'Article', name: '', quantity: 'Quantity', price: 'Price', amount: 'Amount' });
  document
    .moveTo(60, y - 4)
    .lineTo(535, y - 4)
    .lineWidth(0.5)
    .stroke();
  for (const { sku, name, quantity, priceCents } of invoice.lines) {
    row({
      sku: printable(sku),
      name: printable(name),
      quantity: String(quantity),
      price: euros(priceCents),
      amount: euros(priceCents * quantity),
    });
  }
  document
    .moveTo(60, y - 4)
    .lineTo(535, y - 4)
    .stroke();
  row({ sku: 'Total', name: '', quantity: '', price: 'EUR', amount: euros(invoice.totalCents) });
}

/** Line breaks and tabs would tear the layout. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');

/** 1234567 cents as `12,345.67`. */
function euros(cents: number): string {
  const whole = Math.floor(cents / 100)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return `${whole}.${String(cents % 100).padStart(2, '0')}`;
}
