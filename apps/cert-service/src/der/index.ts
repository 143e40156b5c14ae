export { DerError } from './der-error.ts';
export { DerReader, type DerElement } from './reader.ts';
export { OID } from './oids.ts';
export { TAG, describeTag } from './tags.ts';
export { PemError, fromPemOrBase64, toPem } from './pem.ts';
export * as write from './writer.ts';
