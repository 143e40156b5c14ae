import type { alertmanagerWebhookSchema } from '@keelson/contracts';
import type { z } from 'zod';
import type { NewEntry } from '../journal/entry.ts';

type Webhook = z.output<typeof alertmanagerWebhookSchema>;

/** Alertmanager's alerts as journal entries; the same alert in the same state comes once, however often it is repeated. */
export function alertEntries(webhook: Webhook, cluster: string, team: string, now: Date): NewEntry[] {
  return webhook.alerts.map((alert) => {
    const resolved = alert.status === 'resolved';
    const at = resolved && alert.endsAt ? alert.endsAt : alert.startsAt;
    const time = Number.isNaN(Date.parse(at)) ? now : new Date(at);
    const { alertname = 'Alert', severity, namespace, pod } = alert.labels;
    return {
      team,
      source: 'alertmanager',
      cluster,
      type: resolved || severity === 'info' || severity === 'none' ? 'Normal' : 'Warning',
      reason: resolved ? `${alertname}Resolved` : alertname,
      message: alert.annotations['summary'] ?? alert.annotations['description'] ?? alertname,
      object: {
        kind: pod === undefined ? 'Alert' : 'Pod',
        name: pod ?? alertname,
        ...(namespace === undefined ? {} : { namespace }),
      },
      reporter: `alertmanager/${webhook.receiver}`,
      labels: alert.labels,
      count: 1,
      firstSeen: (Number.isNaN(Date.parse(alert.startsAt)) ? now : new Date(alert.startsAt)).toISOString(),
      lastSeen: time.toISOString(),
      dedupeKey: `alertmanager/${alert.fingerprint}/${alert.startsAt}/${alert.status}`,
      original: alert,
    };
  });
}
