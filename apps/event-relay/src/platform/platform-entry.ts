import {
  canaryPaused,
  canaryPromoted,
  canaryRolledBack,
  canaryStarted,
  canaryStepped,
  certificateExpiring,
  certificateIssued,
  certificateRenewed,
  certificateRevoked,
  messageDiscarded,
  messageEdited,
  messageParked,
  messageRedriven,
} from '@keelson/contracts';
import type { ReceivedOf } from '@keelson/messaging';
import type { NewEntry } from '../journal/entry.ts';

/** The platform's messages that people want to hear of. */
export const platformMessages = [
  canaryStarted,
  canaryStepped,
  canaryPaused,
  canaryPromoted,
  canaryRolledBack,
  certificateIssued,
  certificateExpiring,
  certificateRevoked,
  certificateRenewed,
  messageDiscarded,
  messageEdited,
  messageParked,
  messageRedriven,
] as const;

export type PlatformMessage = ReceivedOf<(typeof platformMessages)[number]>;

/** A message of the platform as a journal entry, told in words; its message id keeps a second delivery out. */
export function platformEntry(message: PlatformMessage, cluster: string): NewEntry {
  const told = tell(message);
  const at = message.time.toISOString();
  return {
    ...told,
    source: 'platform',
    cluster,
    reporter: `keelson-${message.source}`,
    labels: {},
    count: 1,
    firstSeen: at,
    lastSeen: at,
    dedupeKey: `platform/${message.id}`,
    original: { id: message.id, type: message.type, payload: message.payload },
  };
}

type Told = Pick<NewEntry, 'team' | 'type' | 'reason' | 'message' | 'object'>;

function tell(message: PlatformMessage): Told {
  switch (message.name) {
    case 'canary.started':
      return canary(message.payload, 'Normal', 'CanaryStarted', message.payload.reason);
    case 'canary.stepped':
      return canary(
        message.payload,
        'Normal',
        'CanaryStepped',
        `${message.payload.weight} % of the traffic: ${message.payload.reason}`,
      );
    case 'canary.paused':
      return canary(message.payload, 'Warning', 'CanaryPaused', message.payload.reason);
    case 'canary.promoted':
      return canary(message.payload, 'Normal', 'CanaryPromoted', message.payload.reason);
    case 'canary.rolled-back':
      return canary(
        message.payload,
        'Warning',
        'CanaryRolledBack',
        `${message.payload.canaryDeployment} was rolled back: ${message.payload.reason}`,
      );
    case 'certificate.issued':
      return certificate(message.payload, 'Normal', 'CertificateIssued', `valid until ${message.payload.notAfter}`);
    case 'certificate.expiring':
      return certificate(
        message.payload,
        'Warning',
        'CertificateExpiring',
        `expires at ${message.payload.notAfter}, in ${duration(message.payload.secondsLeft)}`,
      );
    case 'certificate.revoked':
      return certificate(message.payload, 'Warning', 'CertificateRevoked', `revoked: ${message.payload.reason}`);
    case 'certificate.renewed': {
      const { namespace, name } = message.payload.secret;
      return certificate(
        message.payload,
        'Normal',
        'CertificateRenewed',
        `renewed in Secret ${namespace}/${name}, valid until ${message.payload.notAfter}`,
      );
    }
    case 'message.parked': {
      const { payload } = message;
      return {
        team: 'platform',
        type: 'Warning',
        reason: 'MessageParked',
        message: `${payload.type} ${payload.messageId} was given up after ${payload.attempts} attempts: ${payload.code}: ${payload.reason}`,
        object: { kind: 'Queue', name: payload.queue },
      };
    }
    case 'message.redriven':
    case 'message.discarded':
    case 'message.edited': {
      const { by, count, queue } = message.payload;
      const acts = {
        'message.redriven': { reason: 'MessagesRedriven', did: 'redriven' },
        'message.discarded': { reason: 'MessagesDiscarded', did: 'discarded' },
        'message.edited': { reason: 'MessagesEdited', did: 'edited' },
      } as const;
      const { reason, did } = acts[message.name];
      return {
        team: 'platform',
        type: 'Normal',
        reason,
        message: `${count} parked messages were ${did} by ${by}`,
        object: { kind: 'Queue', name: queue },
      };
    }
    default:
      return message satisfies never;
  }
}

function canary(
  payload: { team: string; namespace: string; name: string; canaryId: string },
  type: Told['type'],
  reason: string,
  text: string,
): Told {
  const { team, namespace, name, canaryId } = payload;
  return {
    team,
    type,
    reason,
    message: text,
    object: { apiVersion: 'keelson.dev/v1alpha1', kind: 'Canary', namespace, name, uid: canaryId },
  };
}

function certificate(
  payload: { team: string; serial: string; subject: string; dnsNames: string[]; certificateId: string },
  type: Told['type'],
  reason: string,
  text: string,
): Told {
  const named = payload.dnsNames.join(', ') || payload.subject;
  return {
    team: payload.team,
    type,
    reason,
    message: `${named} (serial ${payload.serial}) ${text}`,
    object: { kind: 'Certificate', name: payload.dnsNames[0] ?? payload.serial, uid: payload.certificateId },
  };
}

/** The two largest units: `3 d 4 h`, `5 min 10 s`. */
function duration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
