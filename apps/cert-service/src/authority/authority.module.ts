import { Module } from '@nestjs/common';
import { AuthorityController } from './authority.controller.ts';

/** Shows the trust anchor. The authority itself is opened before the service starts: see prepare.ts. */
@Module({ controllers: [AuthorityController] })
export class AuthorityModule {}
