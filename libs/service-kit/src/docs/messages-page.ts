import type { AsyncApiDocument } from '@keelson/contracts/documents';
import { escapeHtml, inline, layout } from './layout.ts';
import { schemaText } from './schema-text.ts';

type Part = Readonly<Record<string, unknown>>;

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: Part;
}

/** Every message of the platform as a page. */
export function messagesPage(document: AsyncApiDocument): string {
  const { messages, schemas } = document['components'] as {
    messages: Readonly<Record<string, Message>>;
    schemas: Readonly<Record<string, Part>>;
  };
  const operations = document.operations as Readonly<Record<string, { tags: ReadonlyArray<{ name: string }> }>>;
  const body = Object.entries(messages).map(
    ([routingKey, { name, summary, payload }]) =>
      `<details id="${escapeHtml(routingKey)}"><summary><strong>${escapeHtml(routingKey)}</strong> ${inline(summary)}</summary>
<p>Sent by ${escapeHtml(operations[`send.${routingKey}`]?.tags[0]?.name ?? 'nobody')}; CloudEvents type <code>${escapeHtml(name)}</code>.</p>
<pre>${escapeHtml(schemaText(payload, schemas))}</pre></details>`,
  );
  return layout(
    'Keelson messages',
    `<p>CloudEvents 1.0 in binary mode over one topic exchange. <a href="/asyncapi.json">AsyncAPI 3.0</a> · <a href="/docs">operations</a></p>
${body.join('\n')}`,
  );
}
