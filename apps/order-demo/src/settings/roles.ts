/** The parts of order-demo. Each can run alone and be scaled alone; they share one database and meet over RabbitMQ. */
export const ROLES = ['api', 'inventory', 'documents', 'coupons', 'notifications'] as const;
export type Role = (typeof ROLES)[number];

/** What ROLE may hold: one role, or `all`. */
export const ROLE_NAMES = [...ROLES, 'all'] as const;

/** The roles that a process started with this name plays. */
export const rolesOf = (name: (typeof ROLE_NAMES)[number]): ReadonlySet<Role> =>
  new Set(name === 'all' ? ROLES : [name]);
