import type { OpenApiDocument } from '@keelson/contracts/documents';
import { escapeHtml, inline, layout } from './layout.ts';
import { schemaText } from './schema-text.ts';

type Part = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: ReadonlyArray<Readonly<Record<string, readonly string[]>>>;
  readonly parameters?: ReadonlyArray<{
    name: string;
    in: string;
    required: boolean;
    description?: string;
    schema: Part;
  }>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema?: Part }>> };
  readonly responses: Readonly<Record<string, { description: string; content?: Record<string, { schema?: Part }> }>>;
}

/** The operations of a service as a page. */
export function operationsPage(documents: readonly OpenApiDocument[]): string {
  const titles = documents.map((document) => (document['info'] as { title: string }).title);
  const body = documents.map((document) => {
    const components = (document['components'] as { schemas: Record<string, Part> }).schemas;
    return Object.entries(document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) =>
          operationHtml(`${method.toUpperCase()} ${path}`, operation as unknown as Operation, components),
        ),
      )
      .join('\n');
  });
  return layout(
    titles.join(', '),
    `<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. Errors are <code>application/problem+json</code>.
<a href="/openapi.json">OpenAPI 3.1</a> · <a href="/asyncapi">messages</a> · <a href="/readyz">readiness</a> · <a href="/metrics">metrics</a></p>
${body.join('\n')}`,
  );
}

function operationHtml(title: string, operation: Operation, components: Record<string, Part>): string {
  const scope = operation.security.flatMap((one) => Object.values(one).flat()).join(', ');
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, required, description = '', schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td><code>${escapeHtml(
        schemaText(schema, components) + ('default' in schema ? ` = ${JSON.stringify(schema['default'])}` : ''),
      )}</code> ${inline(description)}</td></tr>`,
  );
  const responses = Object.entries(operation.responses).map(
    ([status, { description, content }]) =>
      `<p><strong>${status}</strong> ${inline(description)}</p>${contentHtml(content ?? {}, components)}`,
  );
  return `<details id="${escapeHtml(operation.operationId)}"><summary><strong>${escapeHtml(title)}</strong> ${inline(operation.summary)}</summary>
<p>${scope === '' ? 'Open to all.' : `Needs the scope <code>${escapeHtml(scope)}</code>.`}</p>
${parameters.length === 0 ? '' : `<div class="table"><table><tr><th>Parameter</th><th>in</th><th>is</th></tr>${parameters.join('')}</table></div>`}
${operation.requestBody === undefined ? '' : `<h3>Body</h3>${contentHtml(operation.requestBody.content, components)}`}
<h3>Answers</h3>${responses.join('\n')}</details>`;
}

function contentHtml(content: Readonly<Record<string, { schema?: Part }>>, components: Record<string, Part>): string {
  return Object.entries(content)
    .map(([type, { schema }]) => {
      const text = schema === undefined ? 'bytes' : schemaText(schema, components);
      return `<p><code>${escapeHtml(type)}</code></p><pre>${escapeHtml(text)}</pre>`;
    })
    .join('');
}
