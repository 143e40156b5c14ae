import { chromiumPath } from '@keelson/testing';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Waits of the browser: long, because they bound what is in vain and cost nothing else. */
const WAIT_MS = 60_000;

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: await chromiumPath(), args: ['--no-sandbox'] });
}

export interface Visitor {
  readonly page: Page;
  /** What went wrong in the page: exceptions, breaches of the Content-Security-Policy, requests to other hosts. */
  readonly faults: readonly string[];
  readonly leave: () => Promise<void>;
}

export interface VisitOptions {
  readonly consoleUrl: string;
  /** Signed in with it from the start; the sign-in page is shown without. */
  readonly token?: string;
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
}

/** A window of its own, in which everything that goes wrong is kept. */
export async function visit(browser: Browser, options: VisitOptions): Promise<Visitor> {
  const { consoleUrl, token, theme = 'light', width = 1280 } = options;
  const context = await browser.newContext({
    baseURL: consoleUrl,
    viewport: { width, height: 800 },
    colorScheme: theme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(WAIT_MS);
  if (token !== undefined) await context.addInitScript((kept) => sessionStorage.setItem('keelson.token', kept), token);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // An answer of 4xx or 5xx is told by the browser as well; the page shows those.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && origin !== consoleUrl) faults.push(`a request to ${request.url()}`);
  });
  return { page, faults, leave: () => context.close() };
}
