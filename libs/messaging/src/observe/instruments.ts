import type { Counter, Gauge, Histogram, MetricsPort } from './port.ts';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Everything this library measures. Labels name exchanges, queues and message types: never an id. */
export class Instruments {
  readonly operation: Histogram;
  readonly sent: Counter;
  readonly consumed: Counter;
  readonly process: Histogram;
  readonly endToEnd: Histogram;
  readonly retries: Counter;
  readonly parked: Counter;
  readonly reattached: Counter;
  readonly circuitOpen: Gauge;
  readonly inFlight: Gauge;
  readonly waiting: Gauge;
  readonly waitingBytes: Gauge;
  readonly connected: Gauge;
  readonly blocked: Gauge;
  readonly outboxRows: Gauge;
  readonly outboxDeferred: Gauge;
  readonly outboxSeconds: Gauge;
  readonly outboxPublished: Counter;
  readonly scheduledRows: Gauge;
  readonly scheduledLate: Gauge;

  constructor(port: MetricsPort) {
    const counter = (name: string, help: string, ...labelNames: string[]) => port.counter({ name, help, labelNames });
    const gauge = (name: string, help: string, ...labelNames: string[]) => port.gauge({ name, help, labelNames });
    const histogram = (name: string, help: string, ...labelNames: string[]) =>
      port.histogram({ name, help, labelNames, buckets: seconds });
    this.operation = histogram(
      'messaging_client_operation_duration_seconds',
      'From publish() to its answer',
      'destination',
      'outcome',
    );
    this.sent = counter(
      'messaging_client_sent_messages_total',
      'Messages published, by how it ended',
      'message',
      'outcome',
    );
    this.consumed = counter(
      'messaging_client_consumed_messages_total',
      'Messages delivered, by what became of them',
      'queue',
      'message',
      'outcome',
    );
    this.process = histogram(
      'messaging_process_duration_seconds',
      'Time of a handler with its transaction',
      'queue',
      'outcome',
    );
    this.endToEnd = histogram(
      'keelson_messaging_end_to_end_seconds',
      'From the event to the end of its handler',
      'queue',
    );
    this.retries = counter('keelson_messaging_retries_total', 'Messages put off, by reason', 'queue', 'kind');
    this.parked = counter('keelson_messaging_parked_total', 'Messages given up into the parking lot', 'queue', 'code');
    this.reattached = counter(
      'keelson_messaging_reattached_total',
      'Consumers attached again, by reason',
      'queue',
      'reason',
    );
    this.circuitOpen = gauge('keelson_messaging_circuit_open', '1 while a circuit breaker is not closed', 'queue');
    this.inFlight = gauge('keelson_messaging_unconfirmed_messages', 'Sent and not yet confirmed');
    this.waiting = gauge('keelson_messaging_waiting_messages', 'Accepted and not yet sent');
    this.waitingBytes = gauge('keelson_messaging_waiting_bytes', 'Bodies of the messages accepted and not yet sent');
    this.connected = gauge('keelson_messaging_connected', '1 while connected to the broker', 'purpose');
    this.blocked = gauge('keelson_messaging_blocked', '1 while the broker blocks publishers');
    this.outboxRows = gauge('keelson_outbox_rows', 'Rows that wait in the outbox, those set aside included');
    this.outboxDeferred = gauge('keelson_outbox_deferred_rows', 'Rows the broker refused, with what waits behind them');
    this.outboxSeconds = gauge('keelson_outbox_lag_seconds', 'Age of the oldest row in the outbox');
    this.outboxPublished = counter('keelson_outbox_published_total', 'Outbox rows brought to the broker');
    this.scheduledRows = gauge('keelson_scheduled_messages', 'Messages that wait in the database until they are due');
    this.scheduledLate = gauge('keelson_scheduled_late_seconds', 'How long the oldest scheduled message is overdue');
  }
}
