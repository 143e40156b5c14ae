import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { defineApi } from '@keelson/contracts';
import { z } from 'zod';
import { defineConfig, flag, logger, Operation, type OperationInput, runService } from '../src/index.ts';

// A service as a process of its own, run from its sources: that is why the decorators are applied by hand.
const api = defineApi({
  service: 'example',
  title: 'Example',
  version: '1.0.0',
  endpoints: {
    work: {
      method: 'GET',
      path: '/v1/work',
      scope: null,
      summary: 'Takes a while',
      query: z.object({ ms: z.coerce.number() }),
      response: z.object({ done: z.boolean() }),
      status: 200,
    },
    fail: {
      method: 'POST',
      path: '/v1/fail',
      scope: null,
      summary: 'Fails where nobody waits for it',
      query: z.object({ how: z.enum(['throw', 'reject']) }),
      status: 204,
    },
  },
});
const { work, fail } = api.endpoints;
const log = logger('example');

class Example {
  async work({ query }: OperationInput<typeof work>) {
    log.info({ authorization: 'Bearer abc', nested: { password: 'hunter2' }, ms: query.ms }, 'at work');
    log.info({ headers: { Authorization: 'Bearer abc', 'X-Api-Key': 'hunter2' }, accessToken: 'hunter2' }, 'headers');
    log.info(
      { err: new Error('no answer from amqp://guest:hunter2@broker/v') },
      'postgres://user:hunter2@db/x is away',
    );
    await new Promise((resolve) => setTimeout(resolve, query.ms));
    return { done: true };
  }

  fail({ query }: OperationInput<typeof fail>): void {
    if (query.how === 'throw') setImmediate(() => throwIt(new Error('thrown aside')));
    else void Promise.reject(new Error('rejected aside'));
  }
}

function throwIt(error: Error): never {
  throw error;
}

const methodOf = (name: 'work' | 'fail') => Object.getOwnPropertyDescriptor(Example.prototype, name)!;
Operation(work)(Example.prototype, 'work', methodOf('work'));
Operation(fail)(Example.prototype, 'fail', methodOf('fail'));
Controller()(Example);

class ExampleModule {}
Module({ controllers: [Example] })(ExampleModule);

const config = defineConfig({
  DATABASE_URL: z.string().optional(),
  AMQP_URL: z.string().optional(),
  FAIL_AT_START: flag().default(false),
  WAIT_AT_START: flag().default(false),
});

await runService({
  name: 'example',
  version: '1.0.0',
  config,
  api,
  start: async ({ FAIL_AT_START, WAIT_AT_START }) => {
    if (WAIT_AT_START) {
      log.info('waiting');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    if (FAIL_AT_START) throw new Error('the first thing it needs is away');
    return {
      module: ExampleModule,
      close: [() => log.info('first hook'), () => log.info('second hook')],
    };
  },
});
