export { MESSAGE_CONTEXT } from './enhanced.ts';
export { MessagePublisher } from './message-publisher.ts';
export { MessagingModule, type MessagingModuleAsyncOptions, type MessagingModuleOptions } from './messaging.module.ts';
export {
  type BatchDecoratorOptions,
  type BatchHandlerContext,
  type BroadcastDecoratorOptions,
  type HandlerContext,
  Respond,
  type RespondDecoratorOptions,
  Subscribe,
  SubscribeBatch,
  SubscribeBroadcast,
  type SubscribeDecoratorOptions,
} from './subscribe.ts';
export { getMessagingToken, getPublisherToken, InjectMessaging, InjectPublisher } from './tokens.ts';
export { type MessageContext } from './types.ts';
