/** `NAME='value'` lines as a shell reads them. */
export function readEnvFile(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^([A-Z_]+)='([^']*)'$/gm)].map(([, name, value]) => [name!, value!]));
}
