import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { ExternalContextCreator } from '@nestjs/core';
import { ExternalExceptionFilterContext } from '@nestjs/core/exceptions/external-exception-filter-context.js';
import { GuardsConsumer, GuardsContextCreator } from '@nestjs/core/guards/index.js';
import { InterceptorsConsumer, InterceptorsContextCreator } from '@nestjs/core/interceptors/index.js';
import { PipesConsumer, PipesContextCreator } from '@nestjs/core/pipes/index.js';
import 'reflect-metadata';
import { HttpException } from '@nestjs/common';
import { NonRetryableError } from '../consume/failure.ts';

/** `ExecutionContext.getType()` of a handler: what a guard or filter for several transports looks at. */
export const MESSAGE_CONTEXT = 'keelson:message';

const PARAMETERS = 'keelson:parameters';
/** Nest's numbers for a body and for anything else: what a pipe sees as `metadata.type`. */
const BODY = 3;
const CUSTOM = 5;

/** Tells Nest of the two parameters of a handler, so that pipes of the method and its class run on the payload. */
export function describeParameters(target: object, method: string): void {
  const parameters = {
    [`${BODY}:0`]: { index: 0, data: undefined, pipes: [] },
    [`${CUSTOM}:1`]: { index: 1, data: undefined, pipes: [] },
  };
  Reflect.defineMetadata(PARAMETERS, parameters, target.constructor, method);
}

type Call = (...values: unknown[]) => Promise<unknown>;

/**
 * Makes a method callable with its guards, interceptors, pipes and filters, as Nest does for a request. Those of the
 * application as a whole are left out unless `config` is given: most are made for HTTP and would look for a request.
 */
export function enhancer(
  modules: ModulesContainer,
  config: ApplicationConfig | undefined,
): (instance: object, method: string) => Call {
  // All that these parts ask of the container.
  const container = { getModules: () => modules, applicationConfig: config } as never;
  const creator = new ExternalContextCreator(
    new GuardsContextCreator(container, config),
    new GuardsConsumer(),
    new InterceptorsContextCreator(container, config),
    new InterceptorsConsumer(),
    modules,
    new PipesContextCreator(container, config),
    new PipesConsumer(),
    new ExternalExceptionFilterContext(container, config),
  );
  return (instance, method) => {
    const callback = (instance as Record<string, Call>)[method] as Call;
    const isEnhanced = config !== undefined || [callback, instance.constructor].some(hasEnhancers);
    // Without any, Nest's way to the method would only cost time.
    if (!isEnhanced) return (...values) => callback.apply(instance, values);
    const call = creator.create(
      instance,
      callback,
      method,
      PARAMETERS,
      { exchangeKeyForValue: (type, _data, values: unknown[]) => values[type === BODY ? 0 : 1] },
      undefined,
      undefined,
      { guards: true, interceptors: true, filters: true },
      MESSAGE_CONTEXT,
    ) as Call;
    return async (...values) => {
      try {
        return await call(...values);
      } catch (error) {
        throw refusal(error) ?? error;
      }
    };
  };
}

// Nest's own keys; `@UseGuards` and the like write them.
const keys = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];
const hasEnhancers = (target: object): boolean => keys.some((key) => Reflect.hasMetadata(key, target));

/** What a guard or pipe refuses does not get better by waiting: 408 and 429 alone say that it would. */
function refusal(error: unknown): NonRetryableError | undefined {
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  if (status < 400 || status >= 500 || status === 408 || status === 429) return undefined;
  return new NonRetryableError(error.message, { code: `http-${status}`, cause: error });
}
