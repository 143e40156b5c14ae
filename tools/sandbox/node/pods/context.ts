import type { KubernetesClient } from '@keelson/kubernetes';
import type { BackOffLimits } from '../containers/back-off.ts';
import type { ProcessLedger } from '../containers/ledger.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { AddressPool } from '../network/addresses.ts';

/** What all pods of a node share. */
export type NodeContext = {
  client: KubernetesClient;
  nodeName: string;
  /** 127.R.0.1 */
  hostIp: string;
  stateDir: string;
  limits: BackOffLimits;
  /** How soon a container that could not be created is tried again. */
  retryMs: number;
  recorder: EventRecorder;
  ledger: ProcessLedger;
  addresses: AddressPool;
  /** What goes wrong on our side; one line. */
  warn: (message: string) => void;
};
