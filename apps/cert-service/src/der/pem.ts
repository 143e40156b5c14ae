/** PEM of DER, lines of 64 characters and a final line feed (RFC 7468 section 3). */
export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** Why a text is neither PEM nor base64. */
export class PemError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PemError';
  }
}

const frame = /^\s*-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([\s\S]*?)-----END ([A-Z0-9 ]+)-----\s*$/;

/**
 * The DER in a PEM block with one of these labels, or in bare base64. Strict about what is inside (RFC 4648 alphabet and
 * padding), lenient about line lengths and white space; explanatory text around the block is refused, since what is
 * signed should be what was looked at. Throws {@link PemError}.
 */
export function fromPemOrBase64(text: string, labels: readonly string[]): Buffer {
  if (!text.includes('-----')) return strictBase64(text, 'it is neither PEM nor base64 of the DER');
  const match = frame.exec(text);
  if (match === null) throw new PemError('the PEM frame is incomplete or has text around it');
  const [, begin = '', body = '', end = ''] = match;
  if (begin !== end) throw new PemError(`the PEM begins as "${begin}" and ends as "${end}"`);
  if (!labels.includes(begin)) throw new PemError(`the PEM is a "${begin}", not a "${labels.join('" or "')}"`);
  if (body.includes('-----')) throw new PemError('there is more than one PEM block; give one');
  if (body.includes(':')) throw new PemError('PEM headers are not allowed here');
  return strictBase64(body, 'the text between the PEM lines is not base64');
}

function strictBase64(text: string, complaint: string): Buffer {
  const packed = text.replace(/\s+/g, '');
  if (packed.length === 0) throw new PemError('it is empty');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) {
    const strange = /[^A-Za-z0-9+/=]/.exec(packed);
    const why = strange === null ? `${packed.length} characters are no whole number of groups of four` : undefined;
    throw new PemError(`${complaint}: ${why ?? `character ${JSON.stringify(strange![0])} at ${strange!.index}`}`);
  }
  return Buffer.from(packed, 'base64');
}
