export { MessagingModule, type MessagingModuleOptions } from './messaging.module.ts';
export { Subscribe, type HandlerContext, type SubscribeDecoratorOptions } from './subscribe.ts';
export { type MessageContext } from './types.ts';
