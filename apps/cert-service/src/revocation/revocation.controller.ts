import { Controller, Inject } from '@nestjs/common';
import { certificatesApi } from '@keelson/contracts';
import { CLOCK, Operation, type Clock, type OperationInput } from '@keelson/service-kit';
import { scopeOf } from '../inventory/team-scope.ts';
import { RevocationList } from './revocation-list.ts';
import { Revocation } from './revocation.ts';

const { getCrl, revokeCertificate } = certificatesApi.endpoints;

@Controller()
export class RevocationController {
  readonly #revocation: Revocation;
  readonly #list: RevocationList;
  readonly #clock: Clock;

  constructor(
    @Inject(Revocation) revocation: Revocation,
    @Inject(RevocationList) list: RevocationList,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#revocation = revocation;
    this.#list = list;
    this.#clock = clock;
  }

  @Operation(revokeCertificate)
  async revoke({ params, body, principal, idempotency }: OperationInput<typeof revokeCertificate>) {
    const also = idempotency && idempotency.storeIn.bind(idempotency);
    return this.#revocation.revoke(scopeOf(principal), params.id, body.reason, principal, also);
  }

  @Operation(getCrl)
  async crl({ setHeader }: OperationInput<typeof getCrl>) {
    const { der, thisUpdate, nextUpdate, number } = await this.#list.current();
    const left = Math.floor((nextUpdate.getTime() - this.#clock.now().getTime()) / 1000);
    // Short, so that a revocation is seen soon; never beyond the list's own end.
    setHeader('cache-control', `public, max-age=${Math.max(0, Math.min(30, left))}`);
    setHeader('last-modified', thisUpdate.toUTCString());
    setHeader('expires', nextUpdate.toUTCString());
    setHeader('etag', `"crl-${number}"`);
    return der;
  }
}
