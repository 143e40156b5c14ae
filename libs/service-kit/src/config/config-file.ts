import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ConfigFault } from './config-error.ts';

/** Loaded only where there is a file. */
const yaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml') as typeof import('yaml');

/** Reads CONFIG_FILE (YAML, of which JSON is a part); faults are added, never thrown, so that all are reported together. */
export function readConfigFile(path: string | undefined, faults: ConfigFault[]): Record<string, unknown> {
  if (path === undefined || path === '') return {};
  try {
    const content: unknown = yaml().parse(readFileSync(path, 'utf8'));
    if (content === null || content === undefined) return {};
    if (typeof content !== 'object' || Array.isArray(content)) {
      faults.push({ name: 'CONFIG_FILE', detail: `${path} must hold keys and values at its top level` });
      return {};
    }
    return content as Record<string, unknown>;
  } catch (error) {
    const what =
      error instanceof Error && error.name === 'YAMLParseError'
        ? `is not valid YAML: ${error.message.split('\n')[0]}`
        : String(error);
    faults.push({ name: 'CONFIG_FILE', detail: `${path} ${what}` });
    return {};
  }
}
