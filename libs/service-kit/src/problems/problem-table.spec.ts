import { CallerError, registeredProblems, registerProblems } from '../index.ts';

test('a code has one meaning: registering it again with another one is refused', () => {
  registerProblems({ 'out-of-paper': { status: 409, title: 'There is no paper' } });
  registerProblems({ 'out-of-paper': { status: 409, title: 'There is no paper' } });
  expect(() => registerProblems({ 'out-of-paper': { status: 503, title: 'There is no paper' } })).toThrow(
    'problem "out-of-paper" is 409 "There is no paper" already; give 503 "There is no paper" another code',
  );
  expect(registeredProblems().get('out-of-paper')?.status).toBe(409);
});

test('a code that is in no table cannot be thrown', () => {
  expect(() => new CallerError('no-such-code')).toThrow('add it with registerProblems first');
});
