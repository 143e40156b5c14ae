import { commandLine, filterOf } from './filter.ts';

test('a filter is what the address says, and the command line says the same', () => {
  const filter = filterOf({ code: 'invalid-payload', text: "it's", key: '', message: 'm-1' });
  expect(filter).toEqual({ code: 'invalid-payload', text: "it's" });
  expect(commandLine('redrive', 'order-demo.coupons', filter)).toBe(
    `keelson messages redrive order-demo.coupons --code invalid-payload --text 'it'\\''s'`,
  );
});
