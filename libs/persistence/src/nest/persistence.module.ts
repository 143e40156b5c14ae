import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Database, type DatabaseOptions } from '../database.ts';

export interface PersistenceModuleOptions {
  inject?: FactoryProvider['inject'];
  imports?: DynamicModule['imports'];
  useFactory(...dependencies: never[]): DatabaseOptions | Promise<DatabaseOptions>;
}

/** Provides {@link Database} to the whole application, and closes it after everything that uses it has shut down. */
@Global()
@Module({})
export class PersistenceModule implements OnApplicationShutdown {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return PersistenceModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync(options: PersistenceModuleOptions): DynamicModule {
    const useFactory = async (...dependencies: unknown[]): Promise<Database> =>
      Database.open(await options.useFactory(...(dependencies as never[])));
    return {
      module: PersistenceModule,
      imports: options.imports ?? [],
      providers: [{ provide: Database, inject: options.inject ?? [], useFactory }],
      exports: [Database],
    };
  }

  readonly #database: Database;

  constructor(@Inject(Database) database: Database) {
    this.#database = database;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#database.close();
  }
}
