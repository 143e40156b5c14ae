import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import {
  couponGranted,
  couponWithdrawn,
  documentIssued,
  documentVoided,
  notificationSent,
  orderAccepted,
  paymentDeclined,
  paymentRefunded,
  paymentTaken,
} from '@keelson/contracts';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { CONFIG, logger } from '@keelson/service-kit';
import { INVENTORY_QUEUE } from '../queues.ts';
import { rolesOf } from '../settings/roles.ts';
import type { Settings } from '../settings/settings.ts';
import { OrderSagas } from './order-sagas.ts';
import { Settlement } from './settlement.ts';

const log = logger('process-manager');
const options = { queue: INVENTORY_QUEUE.queue, concurrency: INVENTORY_QUEUE.concurrency };

/**
 * The inventory role. Hands what the other roles report to the order's saga, and moves stock: right after the report
 * that makes it due, and by a sweep every SWEEP_EVERY_MS for what a killed process left behind and for deadlines.
 */
@Injectable()
export class ProcessManager implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #settlement: Settlement;
  readonly #sagas: OrderSagas;
  readonly #settings: Settings;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(
    @Inject(Settlement) settlement: Settlement,
    @Inject(OrderSagas) sagas: OrderSagas,
    @Inject(CONFIG) settings: Settings,
  ) {
    this.#settlement = settlement;
    this.#sagas = sagas;
    this.#settings = settings;
  }

  onApplicationBootstrap(): void {
    if (!rolesOf(this.#settings.ROLE).has('inventory')) return;
    this.#sagas.onDue(() => this.#settle());
    this.#timer = setInterval(() => this.#settle(), this.#settings.SWEEP_EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  @Subscribe(orderAccepted, options)
  @Subscribe(paymentTaken, options)
  @Subscribe(paymentDeclined, options)
  @Subscribe(paymentRefunded, options)
  @Subscribe(documentIssued, options)
  @Subscribe(documentVoided, options)
  @Subscribe(couponGranted, options)
  @Subscribe(couponWithdrawn, options)
  @Subscribe(notificationSent, options)
  async onReport(_payload: unknown, { tx, message }: HandlerContext): Promise<void> {
    await this.#sagas.handle(tx!, message);
  }

  /** One settlement at a time; whoever comes meanwhile makes it run once more. */
  #settle(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#settlement.run();
      } catch (error) {
        // Nothing is lost: the orders are still due, and the next sweep takes them.
        log.warn({ err: error }, 'orders could not be ended now; the next sweep tries again');
      }
    }
  }
}
