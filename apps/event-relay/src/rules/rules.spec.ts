import { anEntry } from '../journal/entry.builder.ts';
import { matches } from './match.ts';
import { loadRules, parseRules } from './rules.ts';

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
      says: /^r\.yaml:4:5: sinks\.0\.mach: is an unknown option$/,
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
      says: /r\.yaml:4:14: sinks\.0\.match\.namespaces/,
    },
    {
      name: 'a pattern where only names are understood',
      yaml: 'sinks:\n  - name: a\n    stdout: {}\n    match: { namespaces: ["prod-*"] }\n',
      says: /r\.yaml:4:27: sinks\.0\.match\.namespaces\.0: is no name of a namespace .*patterns are not understood/,
    },
    {
      name: 'a kind that no object has',
      yaml: 'sinks:\n  - name: a\n    stdout: {}\n    match:\n      kinds: [pod]\n',
      says: /r\.yaml:5:15: sinks\.0\.match\.kinds\.0: is no kind: .*such as Pod/,
    },
    {
      name: 'a source that nothing comes from',
      yaml: 'sinks:\n  - { name: a, stdout: {}, match: { sources: [http] } }\n',
      says: /sources\.0: Invalid option.*alertmanager/,
    },
    {
      name: 'reasons that are all left out again',
      yaml: 'sinks:\n  - name: a\n    stdout: {}\n    match:\n      reasons: [A, B]\n      excludeReasons: [B, A]\n',
      says: /r\.yaml:6:7: sinks\.0\.match\.excludeReasons: .*nothing can match/,
    },
    {
      name: 'a password in a URL, without showing it',
      yaml: 'sinks:\n  - name: a\n    webhook: { url: "https://me:hunter2@hooks.example/x" }\n',
      says: /^r\.yaml:3:16: sinks\.0\.webhook\.url: must not have a user or password in it: use a header$/,
    },
    {
      name: 'a URL of another kind',
      yaml: 'sinks:\n  - name: a\n    webhook: { url: "ftp://hooks.example/x" }\n',
      says: /must be a URL that begins with http/,
    },
    {
      name: 'a secret of another form',
      yaml: 'sinks:\n  - name: a\n    telegram: { chatId: 1, token: { vault: x } }\n',
      says: /r\.yaml:3:28: sinks\.0\.telegram\.token: must be a text, \{env: NAME\} or \{file: PATH\}/,
    },
    {
      name: 'a chat by its title',
      yaml: 'sinks:\n  - name: a\n    telegram: { chatId: Alerts, token: x }\n',
      says: /chatId: must be a number/,
    },
    {
      name: 'a header that HTTP does not allow',
      yaml: 'sinks:\n  - name: a\n    webhook: { url: "https://h.example", headers: { "x y": z } }\n',
      says: /is no name of a header/,
    },
    {
      name: 'a document that grows without bound',
      yaml: `a: &a [x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefg'[i]}`).join(',')}]`).join('\n')}\n`,
      says: /r\.yaml: Excessive alias count/,
    },
    { name: 'an empty document', yaml: '', says: /^r\.yaml:1:1: sinks: / },
  ];
  test.each(faults)('names $name with its line', ({ yaml, says }) => {
    expect(() => parseRules(yaml, 'r.yaml')).toThrow(says);
    expect(() => parseRules(yaml, 'r.yaml')).not.toThrow(/hunter2/);
  });

  test('that is not there is named with the reason', () => {
    expect(() => loadRules('/nowhere/rules.yaml')).toThrow('/nowhere/rules.yaml cannot be read: ENOENT');
  });

  test('takes a chat as a number, as text, or as the name of a channel', () => {
    const chats = [-1001234567890, '"-100"', '"@alerts"'].map(
      (id) => parseRules(`sinks: [{ name: t, telegram: { token: x, chatId: ${id} } }]`, 'r').sinks[0]!.telegram!.chatId,
    );
    expect(chats).toEqual(['-1001234567890', '-100', '@alerts']);
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
