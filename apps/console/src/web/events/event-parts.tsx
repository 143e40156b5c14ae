import type { JournalEvent } from '@keelson/contracts';
import { Badge } from '../parts/badge.tsx';

export function TypeBadge({ type }: Pick<JournalEvent, 'type'>) {
  return type === 'Warning' ? <Badge tone="warn">Warning</Badge> : <Badge tone="idle">Normal</Badge>;
}
