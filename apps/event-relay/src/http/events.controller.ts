import { Controller, Inject, UseInterceptors } from '@nestjs/common';
import { eventsApi, type DeadLetter, type Gap, type JournalEvent, type Sink } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, systemClock, type OperationInput, type Principal } from '@keelson/service-kit';
import { alertEntries } from '../alertmanager/alert-entry.ts';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { Sinks, type RedriveOutcome } from '../delivery/sinks.ts';
import { GapLedger } from '../journal/gap-ledger.ts';
import { Journal } from '../journal/journal.ts';
import { findEvent, searchJournal } from '../journal/search.ts';
import { decodeCursor, encodeCursor, SEQUENCE, UUID } from './cursor.ts';
import { DatabaseFaults } from './database-faults.ts';
import { parseLabelSelector } from './label-selector.ts';

const { endpoints } = eventsApi;

/** Name of the cluster that alerts and platform messages are booked under. */
export const CLUSTER = Symbol('CLUSTER');
/** Counts alerts that came in, doubles included. */
export const ALERTS_RECEIVED = Symbol('ALERTS_RECEIVED');

/** HTTP over journal, sinks, dead letters and the loss ledger; what each path means is in the contract. */
@Controller()
@UseInterceptors(DatabaseFaults)
export class EventsController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(Sinks) private readonly sinks: Sinks,
    @Inject(DeadLetters) private readonly deadLetters: DeadLetters,
    @Inject(GapLedger) private readonly gaps: GapLedger,
    @Inject(CLUSTER) private readonly cluster: string,
    @Inject(ALERTS_RECEIVED) private readonly received: (count: number) => void,
  ) {}

  @Operation(endpoints.listEvents)
  async list({
    query,
    principal,
  }: OperationInput<typeof endpoints.listEvents>): Promise<{ items: JournalEvent[]; next?: string }> {
    const { cursor, labelSelector, limit, ...terms } = query;
    const from = decodeCursor(cursor, SEQUENCE);
    const found = await searchJournal(this.database, {
      ...terms,
      team: teamOf(principal),
      labels: parseLabelSelector(labelSelector),
      from: from === undefined ? undefined : Number(from),
      limit: limit + 1,
    });
    return page(found, limit, (event) => event.sequence);
  }

  @Operation(endpoints.getEvent)
  async get({ params, principal }: OperationInput<typeof endpoints.getEvent>): Promise<JournalEvent> {
    const event = await findEvent(this.database, params.id, teamOf(principal));
    if (!event) throw new CallerError('not-found', { detail: `there is no event ${params.id}` });
    return event;
  }

  @Operation(endpoints.receiveAlerts)
  async alerts({ body, principal }: OperationInput<typeof endpoints.receiveAlerts>): Promise<{ accepted: number }> {
    const team = principal.team === '*' ? 'platform' : principal.team;
    this.received(body.alerts.length);
    await this.journal.append(alertEntries(body, this.cluster, team, systemClock.now()));
    return { accepted: body.alerts.length };
  }

  @Operation(endpoints.listSinks)
  async listSinks(): Promise<{ items: Sink[] }> {
    return { items: await this.sinks.list() };
  }

  @Operation(endpoints.replay)
  async replay({ params, body }: OperationInput<typeof endpoints.replay>): Promise<{ count: number }> {
    if (!this.sinks.has(params.name)) throw new CallerError('not-found', { detail: `there is no sink ${params.name}` });
    return {
      count: await this.sinks.replay(params.name, { since: body.since, until: body.until, dryRun: body.dryRun }),
    };
  }

  @Operation(endpoints.listDeadLetters)
  async listDeadLetters({
    query,
    principal,
  }: OperationInput<typeof endpoints.listDeadLetters>): Promise<{ items: DeadLetter[]; next?: string }> {
    const before = decodeCursor(query.cursor, UUID);
    const found = await this.deadLetters.list({
      team: teamOf(principal),
      sink: query.sink,
      before,
      limit: query.limit + 1,
    });
    return page(found, query.limit, (letter) => letter.id);
  }

  @Operation(endpoints.redriveDeadLetter)
  async redrive({ params, principal }: OperationInput<typeof endpoints.redriveDeadLetter>): Promise<RedriveOutcome> {
    const outcome = await this.sinks.redrive(params.id, teamOf(principal));
    if (!outcome)
      throw new CallerError('not-found', {
        detail: `there is no dead letter ${params.id}, or its sink is not configured any more`,
      });
    return outcome;
  }

  @Operation(endpoints.listGaps)
  async listGaps({ query }: OperationInput<typeof endpoints.listGaps>): Promise<{ items: Gap[]; next?: string }> {
    const found = await this.gaps.list({ before: decodeCursor(query.cursor, UUID), limit: query.limit + 1 });
    return page(found, query.limit, (gap) => gap.id);
  }
}

const teamOf = (principal: Principal): string | undefined => (principal.team === '*' ? undefined : principal.team);

function page<T>(found: T[], limit: number, key: (item: T) => string | number): { items: T[]; next?: string } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(found.length > limit && last !== undefined ? { next: encodeCursor(key(last)) } : {}) };
}
