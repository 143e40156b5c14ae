import {
  closedCircuit,
  nextCircuit,
  type Circuit,
  type CircuitBreakerOptions,
  type CircuitEvent,
} from './circuit-breaker.ts';

/** A {@link Circuit} in real time: tells when its state changes, and wakes up by itself when it was open long enough. */
export class RunningCircuit {
  readonly #options: CircuitBreakerOptions;
  readonly #changed: (circuit: Circuit) => void;
  #circuit: Circuit = closedCircuit(performance.now());
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CircuitBreakerOptions, changed: (circuit: Circuit) => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get state(): Circuit['state'] {
    return this.#circuit.state;
  }

  /** For an attempt that begins now: how to tell its end. */
  reporter(): (outcome: 'handled' | 'failed') => void {
    const { era } = this.#circuit;
    return (kind) => this.#happened({ kind, era });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #happened(event: CircuitEvent): void {
    const now = performance.now();
    const before = this.#circuit.state;
    this.#circuit = nextCircuit(this.#circuit, event, now, this.#options);
    const circuit = this.#circuit;
    if (circuit.state === before) return;
    clearTimeout(this.#timer);
    // A millisecond more: a timer may fire a little early.
    if (circuit.state === 'open')
      this.#timer = setTimeout(() => this.#happened({ kind: 'time' }), Math.ceil(circuit.until - now) + 1).unref();
    this.#changed(circuit);
  }
}
