import { type Api, catalogue } from '@keelson/contracts';
import type { FastifyInstance, FastifyReply } from 'fastify';

/**
 * /docs (a page) and /openapi.json for the operations, /asyncapi (a page) and /asyncapi.json for the messages. Made when
 * first asked for, so that a service that nobody looks at does not pay for them.
 */
export function serveDocs(server: FastifyInstance, apis: readonly Api[]): void {
  const documents = once(async () => {
    const { asyncApiDocument, openApiDocument } = await import('@keelson/contracts/documents');
    return { openApi: apis.map(openApiDocument), asyncApi: asyncApiDocument(catalogue) };
  });
  server.get('/openapi.json', async () => (await documents()).openApi[0] ?? {});
  server.get('/asyncapi.json', async () => (await documents()).asyncApi);
  server.get('/docs', async (_request, reply) => {
    const { operationsPage } = await import('./operations-page.ts');
    return page(reply, operationsPage((await documents()).openApi));
  });
  server.get('/asyncapi', async (_request, reply) => {
    const { messagesPage } = await import('./messages-page.ts');
    return page(reply, messagesPage((await documents()).asyncApi));
  });
}

/** The pages have styles of their own and nothing else: no script, nothing from elsewhere. */
function page(reply: FastifyReply, html: string): string {
  reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return html;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
