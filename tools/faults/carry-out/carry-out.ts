import type { Place } from '../place/place.ts';
import type { KindName } from '../schedule/kinds.ts';
import type { PlannedFault } from '../schedule/schedule.ts';
import * as broker from './broker.ts';
import * as database from './database.ts';
import * as messages from './messages.ts';
import * as network from './network.ts';
import * as payment from './payment.ts';
import * as processes from './processes.ts';

/** What carries a fault out: where, which, and whom to tell. */
export interface Stage {
  readonly place: Place;
  readonly fault: PlannedFault;
  readonly say: (text: string) => void;
}

/** Breaks something, waits as long as the fault lasts, and mends it. */
export type CarryOut = (stage: Stage) => Promise<void>;

export const CARRY_OUT: Readonly<Record<KindName, CarryOut>> = {
  'kill-process': processes.killProcess,
  'kill-role': processes.killRole,
  'kill-relays': processes.killRelays,
  'end-process': processes.endProcess,
  'freeze-process': processes.freezeProcess,
  'kill-broker': broker.killBroker,
  'restart-broker': broker.restartBroker,
  'kill-leader': broker.killLeader,
  partition: broker.partition,
  'disk-alarm': broker.diskAlarm,
  'memory-alarm': broker.memoryAlarm,
  'close-connections': broker.closeConnections,
  'kill-database': database.killDatabase,
  'restart-database': database.restartDatabase,
  'end-backends': database.endBackends,
  'cut-database': network.cut('database'),
  'cut-broker': network.cut('broker'),
  'hang-database': network.hang('database'),
  'hang-broker': network.hang('broker'),
  'slow-network': network.slowNetwork,
  'slow-consumer': network.slowConsumer,
  'kill-payment': payment.killPayment,
  'payment-down': payment.paymentDown,
  'payment-slow': payment.paymentSlow,
  'payment-late': payment.paymentLate,
  'payment-dropping': payment.paymentDropping,
  'payment-declines': payment.paymentDeclines,
  'repeat-messages': messages.repeatMessages,
  'poison-messages': messages.poisonMessages,
};
