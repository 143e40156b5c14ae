import { readdirSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
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
});

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

/** What axe finds on the page as it is now. */
async function axeFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
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
  'parked messages are found at home, looked at, corrected, sent again and deleted, and an order shows its process',
  async () => {
    const queue = 'order-demo.coupons';
    const parked = ['one', 'two', 'three'].map((name) => `console-${name}-${Date.now()}`);
    for (const id of parked) await platform.publish('order.paid.v1', { orderId: 7 }, id);
    const wrong = `console-wrong-${Date.now()}`;
    await platform.publish('coupon.expired.v2', { orderId: 7 }, wrong);
    const page = await signedIn();
    const dialog = page.getByRole('dialog');
    await page.goto('/');
    await page.getByRole('link', { name: `4 messages of ${queue} given up` }).click();
    await page.getByRole('heading', { name: queue, level: 1 }).waitFor();

    // One is corrected: what is no JSON cannot be sent, what breaks the contract is refused, a good copy takes its place.
    await page.goto(`/messages/${queue}?message=${wrong}`);
    await page.getByRole('button', { name: 'Correct and send…' }).click();
    const body = dialog.getByLabel('Body');
    const send = dialog.getByRole('button', { name: 'Send the corrected copy' });
    expect(await send.isDisabled()).toBe(true);
    await body.fill('{"orderId": ');
    await dialog.getByText('This is no JSON').waitFor();
    expect(await send.isDisabled()).toBe(true);
    expect(await axeFaults(page)).toEqual([]);
    await body.fill('{"orderId": 8}');
    await send.click();
    await dialog.getByRole('alert').getByText('orderId').first().waitFor();
    const coupon = { orderId: randomUUID(), couponId: randomUUID(), validUntil: new Date().toISOString() };
    await body.fill(JSON.stringify(coupon));
    await send.click();
    await dialog.getByText('The corrected copy was sent as').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('table', { name: 'parked messages' }).getByRole('row').nth(3).waitFor();
    expect(page.url()).not.toContain(wrong);

    await page.goto('/messages');
    await page.getByRole('region', { name: 'Queues of order-demo' }).getByRole('link', { name: queue }).waitFor();
    const group = page.getByRole('table', { name: 'parked messages of order-demo by error' }).getByRole('row');
    await group.filter({ hasText: queue }).getByRole('link', { name: 'invalid-payload' }).click();
    await page.getByRole('heading', { name: queue, level: 1 }).waitFor();
    const rows = page.getByRole('table', { name: 'parked messages' }).getByRole('row');
    await rows.filter({ hasText: 'orderId' }).nth(2).waitFor();

    // One is looked at, then sent again: it fails again, and that is said.
    await page.getByRole('link', { name: 'invalid-payload' }).first().click();
    await page.getByLabel('The body').getByText('"orderId": 7').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('checkbox', { name: `Pick ${parked[0]}` }).check();
    await page.getByRole('button', { name: 'Send 1 again…' }).click();
    await dialog.getByText(`1 message of ${queue} is meant.`).waitFor();
    await dialog.getByRole('button', { name: 'Send 1 message again' }).click();
    await dialog.getByText('Stopped, because one failed again: invalid-payload').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();

    // All that match are deleted once the queue's name is typed.
    await page.getByRole('button', { name: 'Delete all that match…' }).click();
    await dialog.getByText(`3 messages of ${queue} are meant.`).waitFor();
    const remove = dialog.getByRole('button', { name: 'Delete 3 messages' });
    expect(await remove.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Type/).fill(queue);
    await remove.click();
    await dialog.getByText('3 messages were deleted.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('Nothing is parked').waitFor();

    const orders = customers(platform);
    try {
      await page.goto('/orders');
      const flow = page.getByRole('region', { name: 'Where orders are now' });
      await flow
        .getByText(/done a second/)
        .first()
        .waitFor();
      await page.getByLabel('Orders a second').fill('20');
      await page.getByText('keelson orders load --rate 20 --for 60s', { exact: true }).waitFor();
      await page.getByRole('table', { name: 'orders' }).getByRole('link').first().click();
      const process = page.getByRole('region', { name: 'Its process' });
      await process.getByText('completed', { exact: true }).waitFor();
      expect(await axeFaults(page)).toEqual([]);
      await process.getByText('payment', { exact: true }).waitFor();
    } finally {
      await orders.stop();
    }
  },
  2 * LIMIT_MS,
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
      { path: '/messages', ready: 'Given up, by error' },
      { path: '/messages/order-demo.coupons', ready: 'Parked messages' },
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
        const found = await axeFaults(page);
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
  4 * LIMIT_MS,
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
