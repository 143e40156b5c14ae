export default async function tearDown() {
  await globalThis.keelsonSharedParts?.stop();
}
