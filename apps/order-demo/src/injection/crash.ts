import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { logger } from '@keelson/service-kit';
import { Faults } from './faults.ts';

const log = logger('injection');

/** Ends the process with code 1, now and then, as a bug would: no drain, no answer, transactions cut off. */
@Injectable()
export class CrashInjection implements OnApplicationBootstrap {
  readonly #faults: Faults;

  constructor(@Inject(Faults) faults: Faults) {
    this.#faults = faults;
  }

  onApplicationBootstrap(): void {
    const { crashAfterMs } = this.#faults;
    if (crashAfterMs === undefined) return;
    setTimeout(() => {
      log.fatal('injected fault: this version crashes now and then');
      process.exit(1);
    }, crashAfterMs).unref();
  }
}
