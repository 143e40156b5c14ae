import { Sagas } from '@keelson/messaging/saga';
import { counter, gauge, histogram, logger } from '@keelson/service-kit';
import { type OrderFacts, orderSaga } from './order-saga.ts';

const ended = counter({ name: 'order_demo_ended_total', help: 'Orders by how they ended', labelNames: ['outcome'] });
const outcomes = { completed: 'confirmed', compensated: 'compensated' } as const;

/** The sagas of all orders. A change of the process is a further definition here, beside those that still run. */
export class OrderSagas extends Sagas<OrderFacts> {
  #due: () => void = () => undefined;

  constructor(options: { deadlineMs: number; now(): Date }) {
    super({
      definitions: [orderSaga(options.deadlineMs)],
      now: () => options.now(),
      metrics: { counter, gauge, histogram },
      log: logger('saga'),
      onChange: ({ waitingFor, state }) => {
        if (state === 'completed' || state === 'compensated') ended.inc({ outcome: outcomes[state] });
        if (waitingFor !== undefined) this.#due();
      },
    });
  }

  /** Called, after the commit, whenever an order waits for its stock to be moved. */
  onDue(due: () => void): void {
    this.#due = due;
  }
}
