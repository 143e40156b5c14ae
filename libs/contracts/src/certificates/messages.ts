import { z } from 'zod';
import { defineMessage } from '../messages/message.ts';
import { timestamp } from '../time.ts';
import { revocationReason } from './http.ts';

const subject = {
  certificateId: z.uuid(),
  team: z.string(),
  serial: z.string(),
  subject: z.string(),
  dnsNames: z.array(z.string()),
  notAfter: timestamp(),
};

export const certificateIssued = defineMessage({
  name: 'certificate.issued',
  version: 1,
  producer: 'cert-service',
  summary: 'A certificate was signed and stored',
  schema: z.object({ ...subject }),
});

export const certificateExpiring = defineMessage({
  name: 'certificate.expiring',
  version: 1,
  producer: 'cert-service',
  summary: 'A certificate passed one of the alert thresholds before its expiry; once for each threshold',
  schema: z.object({ ...subject, thresholdSeconds: z.number().int(), secondsLeft: z.number().int() }),
});

export const certificateRevoked = defineMessage({
  name: 'certificate.revoked',
  version: 1,
  producer: 'cert-service',
  summary: 'A certificate was revoked',
  schema: z.object({ ...subject, reason: revocationReason, revokedAt: timestamp() }),
});

export const certificateRenewed = defineMessage({
  name: 'certificate.renewed',
  version: 1,
  producer: 'cert-service',
  summary: 'A delivered certificate was replaced before its expiry',
  schema: z.object({
    ...subject,
    replacesCertificateId: z.uuid(),
    secret: z.object({ namespace: z.string(), name: z.string() }),
  }),
});
