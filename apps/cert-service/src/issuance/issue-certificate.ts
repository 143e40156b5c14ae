import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { certificatesApi, type Certificate } from '@keelson/contracts';
import { IDEMPOTENCY_STORE, serveDirectly, type IdempotencyStore, type OperationInput } from '@keelson/service-kit';
import { orUnavailable } from '../storage/database-faults.ts';
import { Issuance } from './issuance.ts';

const { issueCertificate } = certificatesApi.endpoints;

/** The one hot operation, served past Nest's router and interceptors. All others are controllers. */
@Injectable()
export class IssueCertificate implements OnModuleInit {
  readonly #host: HttpAdapterHost;
  readonly #issuance: Issuance;
  readonly #store: IdempotencyStore;

  constructor(
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(Issuance) issuance: Issuance,
    @Inject(IDEMPOTENCY_STORE) store: IdempotencyStore,
  ) {
    this.#host = host;
    this.#issuance = issuance;
    this.#store = store;
  }

  onModuleInit(): void {
    const server = this.#host.httpAdapter.getInstance();
    serveDirectly(server, issueCertificate, (input) => this.#issue(input), this.#store);
  }

  async #issue({
    body,
    principal,
    idempotency,
    setHeader,
  }: OperationInput<typeof issueCertificate>): Promise<Certificate> {
    const also = idempotency && idempotency.storeIn.bind(idempotency);
    const certificate = await orUnavailable(() => this.#issuance.issue(body, principal, also));
    setHeader('location', `/v1/certificates/${certificate.id}`);
    return certificate;
  }
}
