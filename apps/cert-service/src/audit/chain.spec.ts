import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson, type Json } from './canonical-json.ts';
import { extendChain, genesis, verifyChain, type AuditDraft, type AuditLink } from './chain.ts';

const draft = fc.record({
  at: fc.date({ min: new Date(0), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }),
  actor: fc.string(),
  team: fc.string(),
  act: fc.constantFrom('certificate.issued', 'certificate.revoked'),
  subject: fc.uuid(),
  detail: fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<Json>, { maxKeys: 3 }),
}) as fc.Arbitrary<AuditDraft>;
const drafts = fc.array(draft, { minLength: 1, maxLength: 8 });

describe('canonical JSON', () => {
  test('is the same whatever the order of keys, and parses back to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        // The engine keeps the order of insertion, so reading it back in reverse turns the keys round.
        const reversed = JSON.parse(text, (_, part: unknown) =>
          part !== null && typeof part === 'object' && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).toReversed())
            : part,
        ) as Json;
        expect(canonicalJson(reversed)).toBe(text);
      }),
    );
  });

  test('follows the example of RFC 8785', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });
});

describe('the audit chain', () => {
  test('is intact as it was written, in one piece or continued', () => {
    fc.assert(
      fc.property(drafts, drafts, (first, second) => {
        const links = extendChain(genesis, first);
        const more = extendChain(links.at(-1)!, second);
        const whole = verifyChain([...links, ...more]);
        expect(whole).toMatchObject({ intact: true, head: { sequence: links.length + more.length } });
        expect(verifyChain(more, links.at(-1))).toEqual(whole);
      }),
    );
  });

  const breaking: Record<string, (links: AuditLink[], at: number) => AuditLink[]> = {
    'altered content': (links, at) => links.with(at, { ...links[at]!, actor: `${links[at]!.actor}x` }),
    'altered detail': (links, at) => links.with(at, { ...links[at]!, detail: { ...links[at]!.detail, added: true } }),
    'altered time': (links, at) => links.with(at, { ...links[at]!, at: new Date(links[at]!.at.getTime() + 1) }),
    'altered hash': (links, at) => links.with(at, { ...links[at]!, hash: createHash('sha256').update('x').digest() }),
    'altered content with a hash made to fit': (links, at) => {
      const before = at === 0 ? genesis : links[at - 1]!;
      return links.with(at, extendChain(before, [{ ...links[at]!, actor: 'somebody else' }])[0]!);
    },
    'an entry taken out': (links, at) => links.toSpliced(at, 1),
    'an entry put in twice': (links, at) => links.toSpliced(at, 0, links[at]!),
  };

  test.each(Object.entries(breaking))('%s is found and located', (name, change) => {
    fc.assert(
      fc.property(drafts, fc.nat(), (entries, choice) => {
        const links = extendChain(genesis, entries);
        const at = choice % links.length;
        fc.pre(links[at]!.actor !== 'somebody else');
        const result = verifyChain(change(links, at));
        const last = at === links.length - 1;
        // What is cut off or made to fit at the very end shows only against the stored head, which has the last hash.
        if (last && (name === 'an entry taken out' || name.endsWith('made to fit'))) {
          const head = result.intact ? result.head.hash : Buffer.alloc(0);
          expect(head.equals(links.at(-1)!.hash)).toBe(false);
          return;
        }
        if (result.intact) throw new Error('not found');
        const shows = name.endsWith('made to fit') || name.endsWith('twice') ? at + 2 : at + 1;
        expect(result.sequence).toBe(shows);
        expect(result.lastGood.sequence).toBe(shows - 1);
      }),
    );
  });
});
