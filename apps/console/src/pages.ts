/** Every page of the console by its path, as routers write it; the server answers exactly these with the page. */
export const PAGES = {
  home: '/',
  canaries: '/canaries',
  canary: '/canaries/:namespace/:name',
  events: '/events',
  event: '/events/:id',
  sinks: '/sinks',
  orders: '/orders',
  order: '/orders/:id',
  messages: '/messages',
  queue: '/messages/:queue',
  certificates: '/certificates',
  certificate: '/certificates/:id',
} as const;

export type PageName = keyof typeof PAGES;
