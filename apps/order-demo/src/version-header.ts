import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CONFIG } from '@keelson/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Settings } from './settings/settings.ts';

/** Says in every answer which version gave it, so that a client sees which side of a canary it met. */
@Injectable()
export class VersionHeader implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', (_request, reply, done) => {
      reply.header('x-app-version', this.settings.APP_VERSION);
      done();
    });
  }
}
