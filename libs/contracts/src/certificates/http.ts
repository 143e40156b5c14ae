import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';

/** CRLReason names of RFC 5280 section 5.3.1 that a subscriber or the CA may give. */
export const revocationReason = z.enum([
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
]);

export const keyType = z.enum(['EC-P256', 'EC-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519']);

export const certificateState = z.enum(['valid', 'revoked', 'expired']);

export const certificateSchema = z
  .object({
    id: z.uuid(),
    team: z.string(),
    /** Lower-case hexadecimal, without leading zeros beyond whole octets. */
    serial: z.string().regex(/^([0-9a-f]{2})+$/),
    state: certificateState,
    profile: z.string(),
    subject: z.string().describe('RFC 4514 string'),
    /** Normalised subject alternative names: DNS names in lower-case A-label form, IP addresses in RFC 5952 text, URIs. */
    dnsNames: z.array(z.string()),
    ipAddresses: z.array(z.string()),
    uris: z.array(z.string()),
    keyType,
    /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
    publicKeyHash: z.string(),
    issuer: z.string(),
    notBefore: timestamp(),
    notAfter: timestamp(),
    revokedAt: timestamp().optional(),
    revocationReason: revocationReason.optional(),
    /** Leaf first, then the intermediate; PEM. The root is not part of it. */
    chain: z.string(),
    createdAt: timestamp(),
  })
  .meta({ id: 'Certificate' });

export const issueCertificateSchema = z
  .strictObject({
    /** PEM, or base64 of the DER (RFC 2986). */
    csr: z.string().min(1).max(65_536),
    profile: z.enum(['server', 'client', 'peer']).default('server'),
    /** Seconds; the policy's default where absent. */
    lifetimeSeconds: z.number().int().min(60).max(34_300_800).optional(),
  })
  .meta({ id: 'IssueCertificate' });

export const revokeCertificateSchema = z
  .strictObject({ reason: revocationReason.default('unspecified') })
  .meta({ id: 'RevokeCertificate' });

/** A certificate that the service keeps in a Kubernetes TLS Secret and renews by itself. */
export const deliverySchema = z
  .object({
    id: z.uuid(),
    team: z.string(),
    dnsNames: z.array(z.string()),
    ipAddresses: z.array(z.string()),
    secret: z.object({ namespace: z.string(), name: z.string() }),
    lifetimeSeconds: z.number().int(),
    renewBeforeSeconds: z.number().int(),
    state: z.enum(['pending', 'delivered', 'conflict', 'failed']),
    /** Why it is not delivered, in words. */
    reason: z.string().optional(),
    certificateId: z.uuid().optional(),
    notAfter: timestamp().optional(),
    nextRenewalAt: timestamp().optional(),
  })
  .meta({ id: 'Delivery' });

export const createDeliverySchema = z
  .strictObject({
    dnsNames: z.array(z.string().min(1).max(253)).max(100).default([]),
    ipAddresses: z.array(z.string()).max(100).default([]),
    secret: z.strictObject({ namespace: z.string().min(1).max(63), name: z.string().min(1).max(253) }),
    lifetimeSeconds: z.number().int().min(60).max(34_300_800).optional(),
    renewBeforeSeconds: z.number().int().min(10).optional(),
  })
  .meta({ id: 'CreateDelivery' });

export const auditEntrySchema = z
  .object({
    sequence: z.number().int(),
    at: timestamp(),
    actor: z.string(),
    team: z.string(),
    act: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
    /** SHA-256 over the previous entry's hash and this entry, hexadecimal. */
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

export const auditVerificationSchema = z
  .object({
    intact: z.boolean(),
    /** Sequence and hash of the last entry that is good; keep them to verify from there offline. */
    sequence: z.number().int(),
    hash: z.string(),
    /** Where it is broken, and how. */
    brokenAt: z.number().int().optional(),
    reason: z.string().optional(),
  })
  .meta({ id: 'AuditVerification' });

export const authoritySchema = z
  .object({
    name: z.string(),
    root: z.string().describe('PEM of the root, the trust anchor to install in clients'),
    intermediate: z.string().describe('PEM'),
  })
  .meta({ id: 'Authority' });

const id = z.object({ id: z.uuid() });

/** HTTP contract of cert-service. */
export const certificatesApi = defineApi({
  service: 'cert-service',
  title: 'Keelson certificates',
  version: '1.0.0',
  problems: {
    'malformed-csr': { status: 400, title: 'The certificate signing request cannot be read' },
    'bad-csr-signature': { status: 400, title: 'The signature of the certificate signing request is wrong' },
    'weak-key': { status: 422, title: 'The public key is too weak, or of a kind that is not supported' },
    'weak-signature': { status: 422, title: 'The request is signed by a broken or unsupported algorithm' },
    'policy-refused': { status: 422, title: 'The policy does not allow this certificate' },
    'delivery-not-allowed': { status: 403, title: 'Delivery into that Secret is not allowed' },
    'delivery-unavailable': { status: 503, title: 'The service has no access to a Kubernetes cluster' },
    'issuer-not-valid': { status: 503, title: 'The issuing authority is not valid at this time' },
    'clock-untrusted': { status: 503, title: 'The clock of the service disagrees with that of its database' },
  },
  endpoints: {
    issueCertificate: {
      method: 'POST',
      path: '/v1/certificates',
      scope: 'certificates:write',
      summary: 'Issue a certificate from a certificate signing request',
      body: issueCertificateSchema,
      response: certificateSchema,
      status: 201,
      problems: [
        'malformed-csr',
        'bad-csr-signature',
        'weak-key',
        'weak-signature',
        'policy-refused',
        'issuer-not-valid',
        'clock-untrusted',
      ],
      idempotent: true,
    },
    listCertificates: {
      method: 'GET',
      path: '/v1/certificates',
      scope: 'certificates:read',
      summary: 'List and search certificates, newest first',
      query: z.object({
        ...pageQuery,
        name: z.string().max(253).optional().describe('subject or alternative name that contains this text'),
        state: certificateState.optional(),
        expiresBefore: timestamp().optional(),
        serial: z.string().max(64).optional(),
      }),
      response: pageOf(certificateSchema),
      status: 200,
    },
    getCertificate: {
      method: 'GET',
      path: '/v1/certificates/{id}',
      scope: 'certificates:read',
      summary: 'One certificate with its chain',
      params: id,
      response: certificateSchema,
      status: 200,
      problems: ['not-found'],
    },
    revokeCertificate: {
      method: 'POST',
      path: '/v1/certificates/{id}/revoke',
      scope: 'certificates:revoke',
      summary: 'Revoke a certificate; revoking it again changes nothing',
      params: id,
      body: revokeCertificateSchema,
      response: certificateSchema,
      status: 200,
      problems: ['not-found'],
      idempotent: true,
    },
    createDelivery: {
      method: 'POST',
      path: '/v1/deliveries',
      scope: 'certificates:write',
      summary: 'Keep a certificate in a Kubernetes TLS Secret and renew it before it expires',
      body: createDeliverySchema,
      response: deliverySchema,
      status: 202,
      problems: ['policy-refused', 'delivery-not-allowed', 'delivery-unavailable', 'conflict'],
      idempotent: true,
    },
    listDeliveries: {
      method: 'GET',
      path: '/v1/deliveries',
      scope: 'certificates:read',
      summary: 'List deliveries',
      query: z.object({ ...pageQuery }),
      response: pageOf(deliverySchema),
      status: 200,
    },
    getDelivery: {
      method: 'GET',
      path: '/v1/deliveries/{id}',
      scope: 'certificates:read',
      summary: 'One delivery with its state',
      params: id,
      response: deliverySchema,
      status: 200,
      problems: ['not-found'],
    },
    deleteDelivery: {
      method: 'DELETE',
      path: '/v1/deliveries/{id}',
      scope: 'certificates:write',
      summary: 'End a delivery: the Secret stays as it is and is no longer renewed',
      params: id,
      status: 204,
      problems: ['not-found'],
    },
    listAudit: {
      method: 'GET',
      path: '/v1/audit',
      scope: 'certificates:read',
      summary: 'The hash-chained audit log, oldest first',
      query: z.object({ ...pageQuery }),
      response: pageOf(auditEntrySchema),
      status: 200,
    },
    verifyAudit: {
      method: 'GET',
      path: '/v1/audit/verification',
      scope: 'certificates:read',
      summary: 'Recompute the hash chain of the whole audit log; where it is broken, say at which entry and how',
      response: auditVerificationSchema,
      status: 200,
    },
    getAuthority: {
      method: 'GET',
      path: '/v1/authority',
      scope: null,
      summary: 'The root to trust, and the issuing intermediate',
      response: authoritySchema,
      status: 200,
    },
    getCrl: {
      method: 'GET',
      path: '/v1/crl',
      scope: null,
      summary: 'The current certificate revocation list of the intermediate (DER, RFC 5280)',
      responseType: 'application/pkix-crl',
      status: 200,
    },
  },
});

export type Certificate = z.infer<typeof certificateSchema>;
export type Delivery = z.infer<typeof deliverySchema>;
export type AuditEntry = z.infer<typeof auditEntrySchema>;
export type RevocationReason = z.infer<typeof revocationReason>;
export type KeyType = z.infer<typeof keyType>;
