/** Documents made from the contracts; an entry of its own, so that browsers need not load them. */
export { type AsyncApiDocument, asyncApiDocument } from './asyncapi.ts';
export { type OpenApiDocument, openApiDocument } from './openapi.ts';
export { type JsonSchema } from './json-schema.ts';
