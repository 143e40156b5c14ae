export interface LockGap {
  version: string;
  optional: true;
  dev?: true;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

export function lockGaps(packages: Record<string, object>): Record<string, LockGap>;
