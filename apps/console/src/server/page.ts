import helmet from '@fastify/helmet';
import staticFiles from '@fastify/static';
import { CallerError } from '@keelson/service-kit/plain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PAGES } from '../pages.ts';

/** Only what lies beside the page may be loaded or called; nothing inline, nobody may frame it, no HTML from strings. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

/** Headers of every answer, the API's as well. */
export async function secure(server: FastifyInstance): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    // Belongs to whatever ends TLS: a console on plain HTTP must not bind the host to https.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  server.addHook('onRequest', (_request, reply, done) => {
    reply.header('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()');
    done();
  });
}

/** Serves the built page: its files by name, its document at every address that a page has. */
export async function servePage(server: FastifyInstance, folder: string): Promise<void> {
  await server.register(staticFiles, {
    root: folder,
    prefix: '/',
    // Only files that are there get a route: all else is the business of the router.
    wildcard: false,
    index: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // Files below assets/ have their hash in their name.
      const lasting = path.includes('/assets/');
      reply.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const document = (_request: FastifyRequest, reply: FastifyReply): FastifyReply => reply.sendFile('index.html');
  for (const path of Object.values(PAGES)) server.get(path, document);
  server.setNotFoundHandler((request, reply) => {
    // A person who follows a wrong link gets the page, which says so; a missing file must not be answered with a page.
    const navigates = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    if (navigates) return reply.code(404).sendFile('index.html');
    throw new CallerError('no-such-path', { detail: `There is no ${request.url.split('?', 1)[0]!} here.` });
  });
}
