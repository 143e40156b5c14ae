// Jest calls this once per run, however many projects share it. Node runs the TypeScript beside it as it is.
export default async function setUp() {
  const { serveSharedParts } = await import('../run/shared-parts.ts');
  globalThis.keelsonSharedParts = serveSharedParts((line) => process.stderr.write(`${line}\n`));
}
