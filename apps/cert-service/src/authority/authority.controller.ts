import { Controller, Inject } from '@nestjs/common';
import { certificatesApi } from '@keelson/contracts';
import { Operation, type OperationInput } from '@keelson/service-kit';
import type { Authority } from './authority-store.ts';
import { AUTHORITY } from './authority.token.ts';

const { getAuthority } = certificatesApi.endpoints;

@Controller()
export class AuthorityController {
  readonly #authority: Authority;

  constructor(@Inject(AUTHORITY) authority: Authority) {
    this.#authority = authority;
  }

  @Operation(getAuthority)
  get({ setHeader }: OperationInput<typeof getAuthority>) {
    setHeader('cache-control', 'public, max-age=300');
    const { name, root, issuer } = this.#authority;
    return { name, root, intermediate: issuer.pem };
  }
}
