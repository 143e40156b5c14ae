import { type JsonObject, isObject } from '../json.ts';

/**
 * A set of field paths, as metadata.managedFields holds them (FieldsV1). A path element is written as there:
 * `f:name` a field, `k:{"name":"x"}` an item by its keys, `v:"x"` an item of a set.
 */
export class FieldSet {
  member = false;
  readonly children = new Map<string, FieldSet>();

  static parse(fieldsV1: JsonObject | undefined): FieldSet {
    const set = new FieldSet();
    for (const [element, inner] of Object.entries(fieldsV1 ?? {})) {
      if (element === '.') set.member = true;
      else {
        const child = FieldSet.parse(isObject(inner) ? inner : {});
        if (child.children.size === 0) child.member = true;
        set.children.set(element, child);
      }
    }
    return set;
  }

  toJSON(): JsonObject {
    const out: JsonObject = {};
    if (this.member && this.children.size > 0) out['.'] = {};
    for (const key of [...this.children.keys()].sort()) out[key] = (this.children.get(key) as FieldSet).toJSON();
    return out;
  }

  get empty(): boolean {
    return !this.member && [...this.children.values()].every((child) => child.empty);
  }

  /** The child at `element`, made if absent. */
  at(element: string): FieldSet {
    let child = this.children.get(element);
    if (!child) this.children.set(element, (child = new FieldSet()));
    return child;
  }

  find(path: readonly string[]): FieldSet | undefined {
    // oxlint-disable-next-line typescript/no-this-alias -- the walk starts here
    let node: FieldSet | undefined = this;
    for (const element of path) node = node?.children.get(element);
    return node;
  }

  union(other: FieldSet): FieldSet {
    return combine(this, other, (a, b) => a || b);
  }

  intersection(other: FieldSet): FieldSet {
    return combine(this, other, (a, b) => a && b);
  }

  difference(other: FieldSet): FieldSet {
    return combine(this, other, (a, b) => a && !b);
  }

  /** Without the paths below (and at) each of `prefixes`. */
  without(prefixes: readonly (readonly string[])[]): FieldSet {
    const copy = this.union(new FieldSet());
    for (const prefix of prefixes) copy.find(prefix.slice(0, -1))?.children.delete(prefix.at(-1) as string);
    return copy.union(new FieldSet());
  }

  /** Every member path, parents first. */
  paths(prefix: string[] = []): string[][] {
    const out: string[][] = this.member && prefix.length > 0 ? [prefix] : [];
    for (const [element, child] of this.children) out.push(...child.paths([...prefix, element]));
    return out;
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).empty && other.difference(this).empty;
  }
}

const nothing = new FieldSet();

function combine(a: FieldSet, b: FieldSet, keep: (a: boolean, b: boolean) => boolean): FieldSet {
  const out = new FieldSet();
  out.member = keep(a.member, b.member);
  for (const key of new Set([...a.children.keys(), ...b.children.keys()])) {
    const child = combine(a.children.get(key) ?? nothing, b.children.get(key) ?? nothing, keep);
    if (child.member || child.children.size > 0) out.children.set(key, child);
  }
  return out;
}

/** A path as conflicts name it: `.spec.containers[name="web"].image`. */
export function shownPath(path: readonly string[]): string {
  return path
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith('f:')) return `.${rest}`;
      if (element.startsWith('v:')) return `[=${rest}]`;
      if (!element.startsWith('k:')) return `[${rest}]`;
      const keys = Object.entries(JSON.parse(rest) as JsonObject);
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
