import type { Json } from '../json.ts';

export const validPort = (n: Json): boolean => Number.isInteger(n) && n >= 1 && n <= 65535;
export const portRange = 'must be between 1 and 65535, inclusive';
