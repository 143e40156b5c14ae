import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anEntry } from '../../journal/entry.builder.ts';
import { goJson } from './go-json.ts';
import { kubeEventerMessage } from './kube-eventer.ts';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../test/kube-eventer', name), 'utf8'));
const events = fixture('events.json') as Record<string, unknown>[];
/** What Go made of them, see test/kube-eventer. */
const messages = fixture('messages.json') as string[];

/** The same object through the other version of the API. */
function asNewer(event: Record<string, unknown>): Record<string, unknown> {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...rest } = event;
  return {
    ...rest,
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
  };
}

const parse = (text: string) =>
  JSON.parse(text) as { EventValue: string; EventTimestamp: string; EventTags: Record<string, string> };

describe("kube-eventer's Kafka message", () => {
  const cases = events.map((original, index) => ({
    name: `${JSON.stringify(original['reason'] ?? 'nothing')} (${index})`,
    original,
    message: messages[index],
  }));
  test.each(cases)('of $name is what Go writes, byte for byte', ({ original, message }) => {
    expect(kubeEventerMessage(anEntry({ original }))).toBe(message);
  });

  test.each(cases)('of $name is the same through events.k8s.io/v1', ({ original, message }) => {
    expect(kubeEventerMessage(anEntry({ original: asNewer(original) }))).toBe(message);
  });

  test('does not depend on the order in which the API server wrote the fields', () => {
    const turned = Object.fromEntries(Object.entries(events[0]!).toReversed());
    expect(kubeEventerMessage(anEntry({ original: turned }))).toBe(messages[0]);
  });

  test('of something that is no Kubernetes event has the same shape', () => {
    const message = parse(
      kubeEventerMessage(
        anEntry({
          source: 'platform',
          reason: 'CanaryRolledBack',
          object: { kind: 'Canary', namespace: 'shop', name: 'shop' },
        }),
      ),
    );
    expect(message.EventTimestamp).toBe('2026-03-01T12:00:10Z');
    expect(Object.keys(message.EventTags)).toEqual(['eventID', 'hostname']);
    expect(JSON.parse(message.EventValue)).toMatchObject({
      metadata: { uid: message.EventTags['eventID'] },
      reason: 'CanaryRolledBack',
      involvedObject: { kind: 'Canary', namespace: 'shop', name: 'shop' },
      lastTimestamp: '2026-03-01T12:00:10Z',
      count: 1,
      eventTime: null,
    });
  });
});

describe('JSON as Go writes it', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\b\f\n\r\t', '<&>', '\u2028', '\\u003c'));
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('map')),
    list: fc.array(tie('any')),
    map: fc.dictionary(text, tie('any')),
  })).any;

  test('means the same, however it is indented, and has none of the characters that Go escapes', () => {
    fc.assert(
      fc.property(value, fc.constantFrom('', ' ', '\t'), (given, indent) => {
        const written = goJson(given, indent);
        expect(JSON.parse(written)).toEqual(given);
        expect(written).not.toMatch(/[<>&\u2028\u2029]|\\[bf/]/);
        // Where nothing needs Go's own escapes it is what JavaScript writes.
        const plain = JSON.stringify(given, undefined, indent);
        if (!/[<>&\u2028\u2029]|\\[bf]/.test(plain)) expect(written).toBe(plain);
      }),
      { numRuns: 500 },
    );
  });

  test('has half a surrogate pair as the replacement character', () => {
    expect(goJson('a\ud800')).toBe('"a\ufffd"');
  });
});
