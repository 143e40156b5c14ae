/** What a certificate is for: TLS server, TLS client, or both. */
export type ProfileName = 'server' | 'client' | 'peer';

export const profileNames = ['server', 'client', 'peer'] as const satisfies readonly ProfileName[];
