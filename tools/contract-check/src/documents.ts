import {
  type Api,
  canariesApi,
  catalogue,
  certificatesApi,
  eventsApi,
  type MessageDefinition,
  messagesApi,
  ordersApi,
} from '@keelson/contracts';
import { asyncApiDocument, openApiDocument } from '@keelson/contracts/documents';
import { format } from 'prettier';
import { compareAsyncApi } from './compatibility/asyncapi.ts';
import type { Change } from './compatibility/change.ts';
import { compareOpenApi } from './compatibility/openapi.ts';

/** Every HTTP contract that is published. */
export const apis: readonly Api[] = [certificatesApi, eventsApi, canariesApi, ordersApi, messagesApi];

/** A document that is committed, so that reviews and other languages see it. */
export interface PublishedDocument {
  /** Path from the root of the workspace. */
  readonly path: string;
  readonly document: object;
  compare(base: never, next: never): readonly Change[];
}

const FOLDER = 'libs/contracts/published';

export function publishedDocuments(
  ofApis: readonly Api[] = apis,
  messages: Readonly<Record<string, MessageDefinition>> = catalogue,
): readonly PublishedDocument[] {
  return [
    ...ofApis.map((api) => ({
      path: `${FOLDER}/${api.service}.openapi.json`,
      document: openApiDocument(api),
      compare: compareOpenApi,
    })),
    { path: `${FOLDER}/keelson.asyncapi.json`, document: asyncApiDocument(messages), compare: compareAsyncApi },
  ];
}

/** The text that is committed, in the format of the workspace. */
export const textOf = (document: object): Promise<string> =>
  format(JSON.stringify(document), { parser: 'json', printWidth: 120 });
