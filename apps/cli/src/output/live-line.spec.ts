import { LiveLine } from './live-line.ts';

const written = (columns: number | undefined) => {
  let text = '';
  return { live: new LiveLine((more) => void (text += more), columns), text: () => text };
};

test('off a terminal each state is a line', () => {
  const { live, text } = written(undefined);
  live.show('one');
  live.show('two');
  live.end();
  expect(text()).toBe('one\ntwo\n');
});

test('on a terminal one line is renewed, cut to its width, and cleared at the end', () => {
  const { live, text } = written(5);
  live.show('a long line');
  live.show('two');
  live.end();
  expect(text()).toBe('\r\u001b[2Ka lo\r\u001b[2Ktwo\r\u001b[2K');
});
