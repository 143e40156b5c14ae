import type { AsyncApiDocument } from '@keelson/contracts/documents';
import { escapeHtml, inline, layout } from './layout.ts';
import { schemaText } from './schema-text.ts';

type Part = Readonly<Record<string, unknown>>;

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: Part;
}

type Operations = Readonly<Record<string, { tags: ReadonlyArray<{ name: string }>; reply?: object } | undefined>>;

/** Who sends a message; of a request, who answers it, since anybody may ask. */
function originOf(operations: Operations, message: string): string {
  const operation = operations[`send.${message}`];
  const service = operation?.tags[0]?.name ?? 'nobody';
  if (operation === undefined) return 'Sent as a reply';
  return operation.reply === undefined ? `Sent by ${service}` : `Answered by ${service}`;
}

/** Every message of the platform as a page. */
export function messagesPage(document: AsyncApiDocument): string {
  const { messages, schemas } = document['components'] as {
    messages: Readonly<Record<string, Message>>;
    schemas: Readonly<Record<string, Part>>;
  };
  const operations = document.operations as Operations;
  const body = Object.entries(messages).map(
    ([routingKey, { name, summary, payload }]) =>
      `<details id="${escapeHtml(routingKey)}"><summary><strong>${escapeHtml(routingKey)}</strong> ${inline(summary)}</summary>
<p>${escapeHtml(originOf(operations, routingKey))}; CloudEvents type <code>${escapeHtml(name)}</code>.</p>
<pre>${escapeHtml(schemaText(payload, schemas))}</pre></details>`,
  );
  return layout(
    'Keelson messages',
    `<p>CloudEvents 1.0 in binary mode over one topic exchange. <a href="/asyncapi.json">AsyncAPI 3.0</a> · <a href="/docs">operations</a></p>
${body.join('\n')}`,
  );
}
