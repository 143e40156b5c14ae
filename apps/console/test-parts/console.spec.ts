import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { eventually } from '@keelson/testing';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, visit, type Visitor, type VisitOptions } from './browser.ts';
import { type Platform, START_LIMIT_MS, startPlatform } from './platform.ts';
import { customers, deployVersion, waitingSpec } from './release.ts';

/** A page waits for up to a minute for each thing that should come; a test has several of them. */
const LIMIT_MS = 180_000;

let platform: Platform;
let browser: Browser;
const visitors: Visitor[] = [];

beforeAll(async () => {
  [platform, browser] = await Promise.all([startPlatform(), startBrowser()]);
}, START_LIMIT_MS);

afterAll(async () => {
  await browser?.close();
  await platform?.stop();
}, 60_000);

/** Every page must be left without a fault of its own, whatever a test was about. */
afterEach(async () => {
  const left = visitors.splice(0);
  await Promise.all(left.map((visitor) => visitor.leave()));
  const faults = left.flatMap((visitor) => visitor.faults);
  if (faults.length > 0) throw new Error(`faults in the page:\n${faults.join('\n')}`);
});

async function signedIn(options: Partial<VisitOptions> = {}): Promise<Page> {
  const visitor = await visit(browser, { consoleUrl: platform.consoleUrl, token: platform.token, ...options });
  visitors.push(visitor);
  return visitor.page;
}

const decisions = (page: Page) => page.getByRole('region', { name: 'Decisions' }).getByRole('listitem');

test(
  'one signs in with a token that a service knows, and it stays in the tab',
  async () => {
    const visitor = await visit(browser, { consoleUrl: platform.consoleUrl });
    visitors.push(visitor);
    const { page } = visitor;
    await page.goto('/canaries');
    await page.getByLabel('Token').fill('keelson_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('No service knows this token.').waitFor();

    await page.getByLabel('Token').fill(platform.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Canaries', level: 1 }).waitFor();
    await page.getByText('operator').waitFor();
    const kept = await page.evaluate(() => ({ local: JSON.stringify(localStorage), cookies: document.cookie }));
    expect(JSON.stringify({ ...kept, address: page.url() })).not.toContain(platform.token);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  },
  LIMIT_MS,
);

test(
  'a release is followed, taken back, and the next one promoted by hand',
  async () => {
    const page = await signedIn();
    await page.goto('/canaries?namespace=shop');
    await page.getByText('No canary matches').waitFor();
    await deployVersion(platform, 'v2');
    const orders = customers(platform);
    try {
      await platform.canaries.applyCanary({ body: { namespace: 'shop', name: 'web', spec: waitingSpec('v2', 20) } });
      // It appears by itself, in the list and among what wants attention.
      await page.getByRole('link', { name: 'shop/web' }).click();
      await page.getByRole('heading', { name: 'shop/web', level: 1 }).waitFor();
      await page.getByRole('img', { name: '80 % of the traffic to order-demo-v1, 20 % to order-demo-v2' }).waitFor();
      await page.getByText('paused').first().waitFor();
      const evidence = page.getByRole('region', { name: /^Evidence/ });
      await evidence.getByText('at least 50 %').waitFor();
      await evidence.getByText(/nginx_ingress_controller_requests\{/).waitFor();
      await evidence.getByText(/^\d+(\.\d)? %$/).waitFor();
      await page.getByRole('link', { name: 'Home', exact: true }).click();
      await page.getByRole('link', { name: 'shop/web waits for a decision' }).click();

      // Escape leaves it as it is.
      await page.getByRole('button', { name: 'Roll back' }).click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect((await platform.canaries.getCanary({ params: { namespace: 'shop', name: 'web' } })).phase).toBe('Paused');

      await page.getByRole('button', { name: 'Roll back' }).click();
      await page.getByLabel('Reason').fill('the colour is wrong');
      await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
      await page.getByText('rolled back').first().waitFor();
      await decisions(page)
        .filter({ hasText: 'the colour is wrong' })
        .filter({ hasText: 'by operator' })
        .first()
        .waitFor();
      const after = await platform.canaries.getCanary({ params: { namespace: 'shop', name: 'web' } });
      expect(after).toMatchObject({ weight: 0, reason: 'the colour is wrong' });
      await page.getByRole('button', { name: 'Roll back' }).and(page.locator('[aria-disabled]')).waitFor();

      await platform.canaries.applyCanary({ body: { namespace: 'shop', name: 'web', spec: waitingSpec('v2', 30) } });
      await page.getByText('release 2').first().waitFor();
      await page.getByText('paused').first().waitFor();
      await page.getByRole('button', { name: 'Promote now' }).click();
      const promote = page.getByRole('dialog').getByRole('button', { name: 'Promote now' });
      expect(await promote.isDisabled()).toBe(true);
      await page.getByLabel(/^Type/).fill('web');
      await promote.click();
      await page.getByText('promoted').first().waitFor();
      await page.getByRole('button', { name: 'Release before' }).click();
      await page.waitForURL('**/canaries/shop/web?release=1');
      await decisions(page).filter({ hasText: 'the colour is wrong' }).first().waitFor();
    } finally {
      await orders.stop();
    }
  },
  2 * LIMIT_MS,
);

test(
  'an event is found by its filters, which the address keeps',
  async () => {
    const page = await signedIn();
    await page.goto('/events');
    await page.getByLabel('Message has').fill('started container');
    await page.getByLabel('Type').selectOption('Normal');
    await page.waitForURL('**/events?text=started+container&type=Normal');
    await page.reload();
    expect(await page.getByLabel('Message has').inputValue()).toBe('started container');
    const rows = page.getByRole('table', { name: /things that happened/ }).getByRole('row');
    await rows.filter({ hasText: 'Started container' }).first().waitFor();
    for (const text of await rows
      .getByRole('cell')
      .filter({ hasText: /container/i })
      .allInnerTexts())
      expect(text.toLowerCase()).toContain('started container');
    await page.getByRole('link', { name: 'Started' }).first().click();
    await page.getByRole('heading', { name: 'Started', level: 1 }).waitFor();
    for (const name of ['First seen', 'Reporter', 'Object', 'UID', 'Node', 'Cluster'])
      await page.getByRole('term').filter({ hasText: name }).first().waitFor();
    const written = await page.getByLabel('The event as JSON').innerText();
    expect(JSON.parse(written)).toMatchObject({ reason: 'Started', object: { kind: 'Pod', namespace: 'shop' } });

    await page.goto('/events?reason=NoSuchReason');
    await page.getByText('No event matches').waitFor();
  },
  LIMIT_MS,
);

test(
  'a certificate is revoked once its name is typed',
  async () => {
    const { id } = await platform.certificates.createDelivery({
      body: { dnsNames: ['revoked.localhost'], secret: { namespace: 'shop', name: 'revoked-tls' } },
    });
    await eventually(async () => (await platform.certificates.getDelivery({ params: { id } })).state === 'delivered', {
      describe: 'the certificate in its Secret',
    });
    const page = await signedIn();
    await page.goto('/certificates?name=revoked.localhost');
    await page.getByRole('link', { name: 'revoked.localhost' }).first().click();
    await page.getByRole('button', { name: 'Revoke…' }).click();
    const dialog = page.getByRole('dialog');
    const revoke = dialog.getByRole('button', { name: 'Revoke' });
    expect(await revoke.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Type/).fill('revoked');
    expect(await revoke.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Type/).fill('revoked.localhost');
    await dialog.getByLabel('Reason').selectOption('keyCompromise');
    await revoke.click();
    await page.getByText('keyCompromise').waitFor();
    await page.getByText('It is revoked already.').waitFor();
    const certificateId = page.url().split('/').at(-1)!;
    const revoked = await platform.certificates.getCertificate({ params: { id: certificateId } });
    expect(revoked).toMatchObject({ state: 'revoked', revocationReason: 'keyCompromise' });
  },
  LIMIT_MS,
);

test(
  'what the token may not do stays in its place and says why',
  async () => {
    const token = await platform.tokenWith(['certificates:read', 'canaries:read']);
    const [certificate] = (await platform.certificates.listCertificates({ query: { state: 'valid' } })).items;
    const page = await signedIn({ token });
    await page.goto(`/certificates/${certificate!.id}`);
    await page.getByText('Your token “visitor” lacks the scope certificates:revoke.').waitFor();
    const revoke = page.getByRole('button', { name: 'Revoke…' });
    await revoke.focus();
    await page.keyboard.press('Enter');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.goto('/events');
    await page.getByText('Your token “visitor” lacks the scope events:read.').waitFor();
    await page.goto('/');
    await page.getByText('Not looked at: orders. Your token “visitor” lacks the scope orders:read.').waitFor();
  },
  LIMIT_MS,
);

test(
  'a service that hangs is the first thing one sees, and is gone when it goes on',
  async () => {
    const page = await signedIn();
    await page.goto('/');
    const finding = page.getByRole('link', { name: 'event-relay does not answer' });
    const pid = platform.pidOf('apps/event-relay/dist/main.js');
    process.kill(pid, 'SIGSTOP');
    try {
      await finding.waitFor();
      await page.getByText('it did not answer within 3 s').first().waitFor();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await finding.waitFor({ state: 'detached' });
  },
  LIMIT_MS,
);

test(
  'every page is axe clean in light and dark, and fits a phone of 360 px',
  async () => {
    const { items: certificates } = await platform.certificates.listCertificates({});
    const orders = customers(platform);
    const ids = { event: '', order: '' };
    try {
      for (const key of ['events', 'orders'] as const) {
        await eventually(async () => {
          const answer = await fetch(`${platform.consoleUrl}/api/${key}/v1/${key}?limit=1`, {
            headers: { authorization: `Bearer ${platform.token}` },
          });
          const { items } = (await answer.json()) as { items?: { id: string }[] };
          ids[key === 'events' ? 'event' : 'order'] = items?.[0]?.id ?? '';
          return items?.[0] !== undefined;
        });
      }
    } finally {
      await orders.stop();
    }
    const [canary] = (await platform.canaries.listCanaries({})).items;
    const pages = [
      { path: '/', ready: 'Services' },
      { path: '/canaries', ready: 'Canaries' },
      ...(canary === undefined ? [] : [{ path: `/canaries/shop/${canary.name}`, ready: 'Decisions' }]),
      { path: '/events?kind=Pod', ready: 'Events' },
      { path: `/events/${ids.event}`, ready: 'As JSON' },
      { path: '/sinks', ready: 'Dead letters' },
      { path: '/orders', ready: 'Stock' },
      { path: `/orders/${ids.order}`, ready: 'What happened' },
      { path: '/certificates', ready: 'Deliveries' },
      { path: `/certificates/${certificates[0]!.id}`, ready: 'Chain' },
      { path: '/nowhere', ready: 'There is no such page' },
    ];
    for (const { theme, width } of [
      { theme: 'light', width: 1280 },
      { theme: 'dark', width: 360 },
    ] as const) {
      const page = await signedIn({ theme, width });
      for (const { path, ready } of pages) {
        await page.goto(path);
        await page.getByRole('heading', { name: ready, exact: true }).waitFor();
        await page.locator('.skeleton').first().waitFor({ state: 'detached' });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
        );
        expect({ path, theme, found }).toEqual({ path, theme, found: [] });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect({ path, width, over: Math.max(0, over) }).toEqual({ path, width, over: 0 });
      }
    }
    const signIn = await signedIn({ token: undefined, theme: 'dark', width: 360 });
    await signIn.goto('/');
    await signIn.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect((await new AxeBuilder({ page: signIn }).analyze()).violations).toEqual([]);
  },
  2 * LIMIT_MS,
);

test(
  'it can be used with the keyboard alone',
  async () => {
    const page = await signedIn();
    await page.goto('/');
    await page.getByRole('heading', { name: 'What is wrong now' }).waitFor();
    await page.keyboard.press('Tab');
    // The heading has the focus when a page is opened, so the way back goes over the places.
    await page.getByRole('link', { name: 'Events', exact: true }).focus();
    await page.keyboard.press('Enter');
    const heading = page.getByRole('heading', { name: 'Events', level: 1 });
    await heading.waitFor();
    expect(await heading.evaluate((node) => node === document.activeElement)).toBe(true);
    expect(await page.title()).toBe('Events · Keelson');
  },
  LIMIT_MS,
);

test('what a browser loads is less than 300 kB compressed', () => {
  const folder = join(import.meta.dirname, '../dist/web');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'));
  expect(files.length).toBeGreaterThan(2);
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(300_000);
});
