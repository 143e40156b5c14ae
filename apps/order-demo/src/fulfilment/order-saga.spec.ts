import { diagramOf } from '@keelson/messaging/saga';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { orderSaga } from './order-saga.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/order-demo/saga.md'), 'utf8');

test('the diagram in docs/order-demo/saga.md is what the definition gives', () => {
  expect(/```mermaid\n([^`]+)```/.exec(page)?.[1]).toBe(diagramOf(orderSaga(300_000)));
});
