import {
  BadRequestException,
  Catch,
  Injectable,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { defineRequest, type Payload } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { tap, type Observable } from 'rxjs';
import { z } from 'zod';
import { Messaging, parkingLot } from '../src/index.ts';
import {
  getMessagingToken,
  getPublisherToken,
  InjectMessaging,
  InjectPublisher,
  MESSAGE_CONTEXT,
  MessagePublisher,
  MessagingModule,
  Respond,
  Subscribe,
  SubscribeBroadcast,
  type HandlerContext,
} from '../src/nest/index.ts';
import { catalogue as events, orderPlaced, orderShipped } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

const double = defineRequest({
  name: 'test.double',
  version: 1,
  producer: 'test',
  summary: 'Twice as much',
  schema: z.object({ value: z.number() }),
  reply: z.object({ value: z.number() }),
});
const catalogue = { ...events, [double.routingKey]: double };

const steps: string[] = [];

/** Has something injected, to show that it comes from the container. */
@Injectable()
class Limits {
  readonly most = 100;
}

@Injectable()
class AmountGuard implements CanActivate {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  canActivate(context: ExecutionContext): boolean {
    const [payload] = context.getArgs<[Payload<typeof orderPlaced>]>();
    steps.push(`guard ${context.getType<string>()} ${context.getHandler().name}`);
    return payload.amount <= this.#limits.most;
  }
}

class Trail implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    steps.push('before');
    return next.handle().pipe(tap({ complete: () => steps.push('after') }));
  }
}

class EvenOnly implements PipeTransform {
  transform(value: unknown, { type }: { type: string }): unknown {
    if (type !== 'body') return value;
    const payload = value as Payload<typeof orderPlaced>;
    if (payload.amount % 2 !== 0) throw new BadRequestException('odd amount');
    return { ...payload, orderId: payload.orderId.toUpperCase() };
  }
}

class Expected extends Error {}

@Catch(Expected)
class Forgive implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): string {
    steps.push(`filter ${host.getType<string>()} ${error.message}`);
    return 'forgiven';
  }
}

@Injectable()
@UseInterceptors(Trail)
class Guarded {
  @Subscribe(orderPlaced, { queue: 'enhanced.guarded', retry: { attempts: 3, quickDelaysMs: [], firstDelayMs: 50 } })
  @UseGuards(AmountGuard)
  @UsePipes(EvenOnly)
  @UseFilters(Forgive)
  async placed(payload: Payload<typeof orderPlaced>, { message, signal }: HandlerContext): Promise<void> {
    steps.push(`handle ${payload.orderId} ${message.name} ${signal.aborted}`);
    if (payload.amount === 42) throw new Expected('as expected');
  }
}

class HttpOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['authorization'] === 'yes';
  }
}

@Injectable()
class Calculator {
  @Respond(double, { queue: 'enhanced.double' })
  async double({ value }: Payload<typeof double>): Promise<{ value: number }> {
    return { value: value * 2 };
  }
}

const broadcast: string[] = [];
@Injectable()
class Cache {
  @SubscribeBroadcast(orderShipped, { name: 'enhanced.cache' })
  async shipped({ orderId }: Payload<typeof orderShipped>): Promise<void> {
    broadcast.push(orderId);
  }

  @Subscribe(orderPlaced, { queue: 'enhanced.audit', connection: 'audit' })
  async audited({ orderId }: Payload<typeof orderPlaced>): Promise<void> {
    broadcast.push(`audit ${orderId}`);
  }
}

@Injectable()
class Shipping {
  readonly publisher: MessagePublisher<typeof orderShipped>;
  readonly audit: Messaging;

  constructor(
    @InjectPublisher(orderShipped) publisher: MessagePublisher<typeof orderShipped>,
    @InjectMessaging('audit') audit: Messaging,
  ) {
    this.publisher = publisher;
    this.audit = audit;
  }
}

describe('handlers in Nest', () => {
  let bench: Workbench;
  let serial = 0;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(() => {
    serial += 1;
    steps.length = 0;
    broadcast.length = 0;
  });
  afterAll(() => bench.close());

  const connection = (exchange: string, more: object = {}) => ({
    useFactory: () => ({ url: bench.vhost.amqpUrl, service: 'nest', catalogue, exchange, log: memoryLog(), ...more }),
  });
  const application = (module: NonNullable<Parameters<typeof Module>[0]>) => {
    @Module(module)
    class App {}
    return NestFactory.createApplicationContext(App, { logger: false });
  };

  test('run behind their guards, interceptors, pipes and filters, in the order of Nest', async () => {
    const app = await application({
      imports: [MessagingModule.forRootAsync(connection(`enhanced-${serial}`))],
      providers: [Guarded, Limits],
    });
    const messaging = app.get(Messaging);
    await messaging.publish(orderPlaced, { orderId: 'a', amount: 2 });
    await messaging.settled();
    expect(steps).toEqual([`guard ${MESSAGE_CONTEXT} placed`, 'before', 'handle A test.placed false', 'after']);
    steps.length = 0;
    await messaging.publish(orderPlaced, { orderId: 'b', amount: 42 });
    await messaging.settled();
    expect(steps.slice(-1)).toEqual([`filter ${MESSAGE_CONTEXT} as expected`]);
    expect(await parkingLot.list(messaging, 'enhanced.guarded')).toEqual([]);
    await app.close();
  });

  test('park at once what a guard or a pipe refuses, with the reason', async () => {
    const app = await application({
      imports: [MessagingModule.forRootAsync(connection(`enhanced-${serial}`))],
      providers: [Guarded, Limits],
    });
    const messaging = app.get(Messaging);
    await messaging.publish(orderPlaced, { orderId: 'a', amount: 102 }, { id: 'too-much' });
    await messaging.publish(orderPlaced, { orderId: 'b', amount: 3 }, { id: 'odd' });
    const parked = await eventually(async () => {
      const found = await parkingLot.list(messaging, 'enhanced.guarded');
      return found.length === 2 && found;
    });
    expect(parked.toSorted((one, other) => one.id.localeCompare(other.id))).toMatchObject([
      { id: 'odd', code: 'http-400', reason: 'odd amount', attempts: 1 },
      { id: 'too-much', code: 'http-403', reason: 'Forbidden resource', attempts: 1 },
    ]);
    await app.close();
  });

  test('run without the guards of the application, which are made for HTTP, unless it is asked for', async () => {
    const providers = [Calculator, { provide: APP_GUARD, useClass: HttpOnly }];
    const plain = await application({
      imports: [MessagingModule.forRootAsync(connection(`global-${serial}`))],
      providers,
    });
    const ask = (app: typeof plain) => app.get(Messaging).request(double, { value: 21 }, { deadlineMs: 10_000 });
    expect(await ask(plain)).toEqual({ value: 42 });
    await plain.close();
    const asked = connection(`global-on-${serial}`, { globalEnhancers: true });
    const app = await application({ imports: [MessagingModule.forRootAsync(asked)], providers });
    await expect(ask(app)).rejects.toMatchObject({ problem: { code: 'internal' } });
    await app.close();
  });

  test('reach several connections by name, and publishers of a feature', async () => {
    const app = await application({
      imports: [
        MessagingModule.forRootAsync(connection(`main-${serial}`)),
        MessagingModule.forRootAsync({ name: 'audit', ...connection(`audit-${serial}`) }),
        MessagingModule.forFeature([orderShipped]),
      ],
      providers: [Cache, Shipping],
    });
    const { publisher, audit } = app.get(Shipping);
    expect(app.get<MessagePublisher<typeof orderShipped>>(getPublisherToken(orderShipped))).toBe(publisher);
    expect(app.get<Messaging>(getMessagingToken('audit'))).toBe(audit);
    expect(app.get(Messaging)).not.toBe(audit);
    await publisher.publish({ orderId: 'shipped' });
    await audit.publish(orderPlaced, { orderId: 'placed', amount: 1 });
    await eventually(() => broadcast.length === 2);
    expect(broadcast.toSorted()).toEqual(['audit placed', 'shipped']);
    expect(audit.health().consumers.map(({ queue }) => queue)).toEqual(['enhanced.audit']);
    await app.close();
    expect(audit.health()).toMatchObject({ publishing: { state: 'closed' } });
  });
});
