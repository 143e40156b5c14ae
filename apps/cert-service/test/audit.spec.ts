import type { AuditEntry } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { verifyChain, type AuditLink } from '../src/audit/chain.ts';
import { opensslCsr } from './support/openssl.ts';
import { certService, newKey, type CertService } from './support/service.ts';

interface Verification {
  readonly intact: boolean;
  readonly sequence: number;
  readonly hash: string;
  readonly brokenAt?: number;
  readonly reason?: string;
}

describe('the audit log', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let replicas: CertService[];
  let sql: Database;

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    const options = { databaseUrl: database.url, amqpUrl: vhost.amqpUrl, env: { KEY_ENCRYPTION_KEY: newKey() } };
    replicas = await Promise.all([certService(options), certService(options)]);
    sql = await Database.open({ url: database.url, name: 'test', migrations: [] });
    const csr = await opensslCsr();
    const issue = (at: number) =>
      replicas[at % 2]!.call('POST', '/v1/certificates', {
        token: at % 3 === 0 ? 'blue-token' : 'red-token',
        json: { csr },
      });
    // Many at once on both replicas: the chain must neither fork nor skip.
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => issue(at)));
    if (answers.some(({ status }) => status !== 201)) throw new Error('a certificate was not issued');
  });
  afterAll(async () => {
    await Promise.all(replicas?.map((replica) => replica.stop()) ?? []);
    await sql?.close();
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  const verify = async (): Promise<Verification> =>
    (await replicas[0]!.call<Verification>('GET', '/v1/audit/verification')).body;
  const entries = async (token: string): Promise<AuditEntry[]> => {
    const all: AuditEntry[] = [];
    for (let cursor = ''; ;) {
      const { body } = await replicas[1]!.call<{ items: AuditEntry[]; next?: string }>(
        'GET',
        `/v1/audit?limit=7${cursor}`,
        { token },
      );
      all.push(...body.items);
      if (body.next === undefined) return all;
      cursor = `&cursor=${body.next}`;
    }
  };

  test('is one chain though two replicas wrote it at once, and can be verified from its answers alone', async () => {
    expect(await verify()).toMatchObject({ intact: true, sequence: 60 });
    const links = (await entries('operator-token')).map((entry): AuditLink => ({
      ...entry,
      at: new Date(entry.at),
      detail: entry.detail as AuditLink['detail'],
      hash: Buffer.from(entry.hash, 'hex'),
    }));
    expect(links.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    expect(verifyChain(links)).toMatchObject({ intact: true, head: { sequence: 60 } });
  });

  test('a team sees its own entries, with who did what', async () => {
    const blue = await entries('blue-token');
    expect(blue).toHaveLength(20);
    for (const entry of blue) {
      expect(entry).toMatchObject({ team: 'blue', actor: 'blue-builder', act: 'certificate.issued' });
      expect(entry.detail).toMatchObject({ keyType: 'EC-P256', asked: 'request' });
    }
  });

  test.each([
    { name: 'an altered entry', change: "update audit_log set actor = 'nobody' where sequence = 17", at: 17 },
    {
      name: 'an altered detail',
      change: 'update audit_log set detail = detail || \'{"x":1}\' where sequence = 23',
      at: 23,
    },
    { name: 'a deleted entry', change: 'delete from audit_log where sequence = 31', at: 31 },
    { name: 'the end cut off', change: 'delete from audit_log where sequence > 55', at: 56 },
    {
      name: 'the end cut off, and the head with it made to look right',
      change: "update audit_head set hash = decode(repeat('ab', 32), 'hex')",
      at: 60,
    },
  ])('$name is found and located', async ({ change, at }) => {
    await sql.query('create table kept as table audit_log');
    await sql.query('create table kept_head as table audit_head');
    await sql.query(change);
    const found = await verify();
    expect(found).toMatchObject({ intact: false, brokenAt: at });
    expect(found.reason).toMatch(/entry|head/);
    await sql.query('truncate audit_log, audit_head');
    await sql.query('insert into audit_log table kept');
    await sql.query('insert into audit_head table kept_head');
    await sql.query('drop table kept, kept_head');
    expect((await verify()).intact).toBe(true);
  });
});
