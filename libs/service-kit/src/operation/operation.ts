import { createParamDecorator, type ExecutionContext, HttpCode, RequestMapping, RequestMethod } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Endpoint } from '@keelson/contracts';
import type { FastifyRequest } from 'fastify';
import type { OperationInput, OperationResult } from './input.ts';
import { inputOf } from './pipeline.ts';
import { type OperationRouteConfig, routerPath } from './route.ts';

const Input = createParamDecorator((_: unknown, context: ExecutionContext) =>
  inputOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/**
 * Binds a controller method to an operation of the contract: method, path, scope, validation of what comes in, status
 * and check of what goes out. The method gets one argument, the {@link OperationInput}.
 *
 * @example
 * ```ts
 * @Controller()
 * class Certificates {
 *   @Operation(certificatesApi.endpoints.getCertificate)
 *   async get({ params, principal }: OperationInput<typeof certificatesApi.endpoints.getCertificate>) { ... }
 * }
 * ```
 */
export function Operation<E extends Endpoint>(endpoint: E) {
  return <Method extends (input: OperationInput<E>) => Promise<OperationResult<E>> | OperationResult<E>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    RequestMapping({ path: routerPath(endpoint.path), method: RequestMethod[endpoint.method] })(
      target,
      key,
      descriptor,
    );
    HttpCode(endpoint.status)(target, key, descriptor);
    RouteConfig({ keelson: endpoint } satisfies OperationRouteConfig)(target, key, descriptor);
    Input()(target, key, 0);
  };
}
