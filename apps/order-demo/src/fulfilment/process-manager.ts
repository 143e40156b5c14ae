import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { couponGranted, couponWithdrawn, documentIssued, notificationSent, type Payload } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { CONFIG, logger } from '@keelson/service-kit';
import { INVENTORY_QUEUE } from '../queues.ts';
import { rolesOf } from '../settings/roles.ts';
import type { Settings } from '../settings/settings.ts';
import { noteProgress, type ProgressName } from './progress.ts';
import { Settlement } from './settlement.ts';

const log = logger('process-manager');
const options = { queue: INVENTORY_QUEUE.queue, concurrency: INVENTORY_QUEUE.concurrency };

/**
 * The inventory role. Notes what the other roles report, and ends orders: right after the last report, and by a sweep
 * every SWEEP_EVERY_MS for what a killed process left behind and for deadlines.
 */
@Injectable()
export class ProcessManager implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #settlement: Settlement;
  readonly #settings: Settings;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(@Inject(Settlement) settlement: Settlement, @Inject(CONFIG) settings: Settings) {
    this.#settlement = settlement;
    this.#settings = settings;
  }

  onApplicationBootstrap(): void {
    if (!rolesOf(this.#settings.ROLE).has('inventory')) return;
    this.#timer = setInterval(() => this.#settle(), this.#settings.SWEEP_EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  @Subscribe(documentIssued, options)
  async onDocument(payload: Payload<typeof documentIssued>, { tx }: HandlerContext): Promise<void> {
    await this.#note(tx!, 'document.issued', payload);
  }

  @Subscribe(couponGranted, options)
  async onCoupon(payload: Payload<typeof couponGranted>, { tx }: HandlerContext): Promise<void> {
    await this.#note(tx!, 'coupon.granted', payload);
  }

  @Subscribe(notificationSent, options)
  async onNotification(payload: Payload<typeof notificationSent>, { tx }: HandlerContext): Promise<void> {
    await this.#note(tx!, 'notification.sent', payload);
  }

  @Subscribe(couponWithdrawn, options)
  async onWithdrawal(payload: Payload<typeof couponWithdrawn>, { tx }: HandlerContext): Promise<void> {
    await this.#note(tx!, 'coupon.withdrawn', payload);
  }

  async #note(tx: Tx, name: ProgressName, payload: { orderId: string; at: string }): Promise<void> {
    if (await noteProgress(tx, name, payload)) tx.afterCommit(() => this.#settle());
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
