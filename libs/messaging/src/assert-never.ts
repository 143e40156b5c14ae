/** For the default branch of a switch over a union: does not compile while a member is missing. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`);
}
