export * from './http.ts';
export * from './messages.ts';
export * from './saga.ts';
export * from './order.ts';
export * from './v2.ts';
