export { MessagesHttpModule } from './messages.module.ts';
