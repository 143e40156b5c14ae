import { Controller, Inject } from '@nestjs/common';
import { certificatesApi } from '@keelson/contracts';
import { Operation, type OperationInput } from '@keelson/service-kit';
import { Issuance } from './issuance.ts';

const { issueCertificate } = certificatesApi.endpoints;

@Controller()
export class IssuanceController {
  readonly #issuance: Issuance;

  constructor(@Inject(Issuance) issuance: Issuance) {
    this.#issuance = issuance;
  }

  @Operation(issueCertificate)
  async issue({ body, principal, idempotency, setHeader }: OperationInput<typeof issueCertificate>) {
    const also = idempotency && idempotency.storeIn.bind(idempotency);
    const certificate = await this.#issuance.issue(body, principal, also);
    setHeader('location', `/v1/certificates/${certificate.id}`);
    return certificate;
  }
}
