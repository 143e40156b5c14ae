export { catalogue, EXCHANGE } from './catalogue.ts';
export { defineMessage, type MessageDefinition, type Payload } from './messages/message.ts';
export { messageDiscarded, messageEdited, messageRedriven } from './messages/acted.ts';
export {
  messagesApi,
  type ParkedActResult,
  type ParkedGroup,
  type ParkedMessageView,
  type QueueState,
} from './messages/http.ts';
export { defineRequest, type Reply, type RequestDefinition } from './messages/request.ts';
export { queueCatalogue, type QueueDefinition, UNCLAIMED } from './messages/queues.ts';
export { messageParked } from './messages/parked.ts';
export { defineApi, type Api, type Endpoint, type HttpMethod } from './http/endpoint.ts';
export { type Identity, identityApi, identitySchema } from './http/identity.ts';
export { pageOf, pageQuery } from './http/page.ts';
export { type GeneralProblemCode, generalProblems, type ProblemKind, type ProblemTable } from './http/problem-table.ts';
export { PROBLEM_BASE, problemErrorSchema, problemSchema, type Problem } from './http/problem.ts';
export { type ClientOptions, createClient } from './client/create-client.ts';
export { ContractError, NoAnswerError, ProblemError } from './client/errors.ts';
export { paginate } from './client/paginate.ts';
export { type RetryOptions } from './client/retry.ts';
export { type Call, type CallInput, type CallResult, type Client, type LiveEvent } from './client/types.ts';
export { SCOPES, type Scope } from './scopes.ts';
export { timestamp } from './time.ts';
export * from './certificates/index.ts';
export * from './events/index.ts';
export * from './canaries/index.ts';
export * from './orders/index.ts';
