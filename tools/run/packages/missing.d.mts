export interface LockedPackage {
  version?: string;
  integrity?: string;
  optional?: boolean;
  link?: boolean;
}

export function missingPackages(root: string): string | undefined;
export function differenceOf(
  wanted: Record<string, LockedPackage>,
  installed: Record<string, LockedPackage>,
): string | undefined;
