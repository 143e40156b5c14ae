import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** Answers 304 where the client has what it would be sent. If-None-Match: RFC 9110 section 13.1.2. */
@Injectable()
export class NotModified implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    this.host.httpAdapter.getInstance<FastifyInstance>().addHook('onSend', (request, reply, payload, done) => {
      const etag = reply.getHeader('etag');
      const known = request.headers['if-none-match'];
      const safe = request.method === 'GET' || request.method === 'HEAD';
      if (!safe || typeof etag !== 'string' || known === undefined || reply.statusCode !== 200 || !names(known, etag)) {
        done(null, payload);
        return;
      }
      reply.code(304).removeHeader('content-length');
      done(null, null);
    });
  }
}

// Weak comparison, since nothing is put together from parts.
const names = (list: string, etag: string): boolean =>
  list.trim() === '*' || list.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
