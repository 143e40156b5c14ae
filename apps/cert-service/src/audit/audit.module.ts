import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.ts';

/** Who did what, chained by hashes. */
@Module({ controllers: [AuditController] })
export class AuditModule {}
