/**
 * `waiting`: its stage has not begun. `begun`: asked for. `done`, `failed`: reported. `undoing`: to be taken back, and
 * asked for where somebody else does that. `undone`: taken back.
 */
export type StepState = 'waiting' | 'begun' | 'done' | 'failed' | 'undoing' | 'undone';

/** A step with the time of each thing that happened to it, RFC 3339. */
export interface StepRecord {
  readonly state: StepState;
  readonly begunAt?: string;
  readonly doneAt?: string;
  readonly failedAt?: string;
  readonly undoingAt?: string;
  readonly undoneAt?: string;
  /** How often the undo was asked for. */
  readonly undoRequests?: number;
  readonly detail?: string;
}

/** Entry: `running`. End: `completed`, `compensated`; whatever comes after an end is ignored. */
export type SagaState = 'running' | 'compensating' | 'completed' | 'compensated';

/** A saga as it is kept. */
export interface SagaSnapshot<Data> {
  readonly name: string;
  readonly key: string;
  /** Of the definition that it began with and ends under. */
  readonly definitionVersion: number;
  /** Counts its changes; 0 is not written yet. The write of a change that rests on an older one is refused. */
  readonly version: number;
  readonly state: SagaState;
  /** Why it is compensated. */
  readonly reason?: string;
  readonly data: Data;
  readonly steps: Readonly<Record<string, StepRecord>>;
  /** The local work it waits for: `<step>/do` or `<step>/undo`. */
  readonly waitingFor?: string;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  /** When it times out next. */
  readonly dueAt?: Date;
}
