import { anEntry } from '../journal/entry.builder.ts';
import { matches } from './match.ts';
import { parseRules } from './rules.ts';

describe('the rules document', () => {
  test('gives every sink with its defaults', () => {
    const { sinks } = parseRules(
      'sinks:\n  - name: out\n    stdout: {}\n  - name: k\n    kafka: { brokers: ["a:9092"] }\n',
      'r.yaml',
    );
    expect(sinks.map((sink) => sink.name)).toEqual(['out', 'k']);
    expect(sinks[1]!.kafka).toEqual({ brokers: ['a:9092'], topic: 'heapster-events' });
  });

  const faults = [
    {
      name: 'an unknown option',
      yaml: 'sinks:\n  - name: out\n    stdout: {}\n    mach: {}\n',
      says: /r\.yaml:2:5: sinks\.0: .*"mach"/,
    },
    {
      name: 'a wrong type of event',
      yaml: 'sinks:\n  - name: out\n    stdout: {}\n    match:\n      types: [Warn]\n',
      says: /r\.yaml:5:15: sinks\.0\.match\.types\.0/,
    },
    {
      name: 'two kinds in one sink',
      yaml: 'sinks:\n  - name: out\n    stdout: {}\n    kafka: { brokers: ["a:1"] }\n',
      says: /exactly one of/,
    },
    { name: 'no kind', yaml: 'sinks:\n  - name: out\n', says: /exactly one of/ },
    {
      name: 'the same name twice',
      yaml: 'sinks:\n  - { name: a, stdout: {} }\n  - { name: a, stdout: {} }\n',
      says: /same name/,
    },
    { name: 'text that is no YAML', yaml: 'sinks: [', says: /r\.yaml/ },
    {
      name: 'a list of namespaces that could never match',
      yaml: 'sinks:\n  - name: a\n    stdout: {}\n    match: { namespaces: [] }\n',
      says: /namespaces/,
    },
  ];
  test.each(faults)('names $name with its line', ({ yaml, says }) => {
    expect(() => parseRules(yaml, 'r.yaml')).toThrow(says);
  });
});

describe('a match', () => {
  const event = anEntry();
  const cases = [
    { match: {}, hit: true },
    { match: { types: ['Warning' as const] }, hit: true },
    { match: { types: ['Normal' as const] }, hit: false },
    { match: { namespaces: ['shop', 'x'], reasons: ['BackOff'] }, hit: true },
    { match: { namespaces: ['shop'], reasons: ['Killing'] }, hit: false },
    { match: { excludeReasons: ['BackOff'] }, hit: false },
    { match: { sources: ['platform' as const] }, hit: false },
  ];
  test.each(cases)('$match: $hit', ({ match, hit }) => expect(matches(match, event)).toBe(hit));
});
