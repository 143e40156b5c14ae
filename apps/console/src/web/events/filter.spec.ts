import { apiFilter, commandLine, filterOf } from './filter.ts';

test('what the address says wrongly is left out, the rest counts', () => {
  expect(filterOf({ type: 'Loud', reason: 'BackOff', since: 'ever', source: 'http', name: '', live: '1' })).toEqual({
    reason: 'BackOff',
    source: 'http',
  });
});

test('an age becomes the instant that the API wants', () => {
  const now = Date.parse('2026-01-31T12:00:00.000Z');
  expect(apiFilter(filterOf({ since: '1h', text: 'x' }), now)).toEqual({
    text: 'x',
    since: '2026-01-31T11:00:00.000Z',
  });
  expect(apiFilter({}, now).since).toBeUndefined();
});

test('the command line says the same, quoted for the shell', () => {
  const filter = filterOf({ type: 'Warning', text: "it's late", since: '15m' });
  expect(commandLine(filter, 'search')).toBe(
    String.raw`keelson events search --type Warning --text 'it'\''s late' --since 15m`,
  );
  expect(commandLine(filter, 'tail')).toBe(String.raw`keelson events tail --type Warning --text 'it'\''s late'`);
});
