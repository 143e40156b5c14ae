import { Controller, Inject } from '@nestjs/common';
import { canariesApi, type Canary, type Decision } from '@keelson/contracts';
import { Operation, type OperationInput } from '@keelson/service-kit';
import { CanaryService } from './canary.service.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

const { endpoints } = canariesApi;

/** HTTP over the Canaries; what each path means is in the contract. */
@Controller()
export class CanariesController {
  readonly #canaries: CanaryService;

  constructor(@Inject(CanaryService) canaries: CanaryService) {
    this.#canaries = canaries;
  }

  @Operation(endpoints.listCanaries)
  async list({
    query,
    principal,
  }: OperationInput<typeof endpoints.listCanaries>): Promise<{ items: Canary[]; next?: string }> {
    const after = decodeCursor(query.cursor, /^[^/]+\/[^/]+$/);
    const page = await this.#canaries.list(principal, { ...query, after });
    const last = page.items.at(-1);
    return {
      items: page.items,
      ...(page.more && last ? { next: encodeCursor(`${last.namespace}/${last.name}`) } : {}),
    };
  }

  @Operation(endpoints.applyCanary)
  apply({ body, principal }: OperationInput<typeof endpoints.applyCanary>): Promise<Canary> {
    return this.#canaries.apply(principal, body);
  }

  @Operation(endpoints.getCanary)
  get({ params, principal }: OperationInput<typeof endpoints.getCanary>): Promise<Canary> {
    return this.#canaries.get(principal, params);
  }

  @Operation(endpoints.deleteCanary)
  delete({ params, principal }: OperationInput<typeof endpoints.deleteCanary>): Promise<void> {
    return this.#canaries.delete(principal, params);
  }

  @Operation(endpoints.listDecisions)
  async decisions({
    params,
    query,
    principal,
  }: OperationInput<typeof endpoints.listDecisions>): Promise<{ items: Decision[]; next?: string }> {
    const before = decodeCursor(query.cursor, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const items = await this.#canaries.decisions(principal, params, {
      release: query.release,
      before,
      limit: query.limit + 1,
    });
    const page = items.slice(0, query.limit);
    const last = page.at(-1);
    return { items: page, ...(items.length > page.length && last ? { next: encodeCursor(last.id) } : {}) };
  }

  @Operation(endpoints.promoteCanary)
  promote({ params, body, principal, idempotency }: OperationInput<typeof endpoints.promoteCanary>): Promise<Canary> {
    return this.#canaries.command(
      principal,
      params,
      { kind: 'promote', full: body.full, reason: body.reason },
      idempotency,
    );
  }

  @Operation(endpoints.abortCanary)
  abort({ params, body, principal, idempotency }: OperationInput<typeof endpoints.abortCanary>): Promise<Canary> {
    return this.#canaries.command(principal, params, { kind: 'abort', reason: body.reason }, idempotency);
  }

  @Operation(endpoints.pauseCanary)
  pause({ params, body, principal, idempotency }: OperationInput<typeof endpoints.pauseCanary>): Promise<Canary> {
    return this.#canaries.command(principal, params, { kind: 'pause', reason: body.reason }, idempotency);
  }

  @Operation(endpoints.resumeCanary)
  resume({ params, body, principal, idempotency }: OperationInput<typeof endpoints.resumeCanary>): Promise<Canary> {
    return this.#canaries.command(principal, params, { kind: 'resume', reason: body.reason }, idempotency);
  }
}
