import type { ManagedProcess } from '@keelson/testing';
import type pg from 'pg';
import type { Shop } from './shop.ts';

/**
 * Kills a controller with SIGKILL as a release enters each phase for the first time. The database lets the release
 * leave a phase only after that, so that none is missed, however late this process hears of it.
 */
export class PhaseReaper {
  readonly killed: string[] = [];
  readonly #database: pg.Client;
  #victim: ManagedProcess | undefined;
  #entered: string | undefined;

  private constructor(database: pg.Client) {
    this.#database = database;
  }

  /** `database` is a connection of its own to the controller's; it is ended by who opened it. */
  static async watch(database: pg.Client, { namespace }: Shop): Promise<PhaseReaper> {
    const reaper = new PhaseReaper(database);
    // Releases of Canaries of earlier tests are in this database, too: they are let go on.
    await database.query(`
      CREATE TABLE reaped_phases (phase text PRIMARY KEY);
      CREATE FUNCTION tell_phase() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('phase', NEW.phase); RETURN NEW; END $$;
      CREATE TRIGGER tell_phase AFTER INSERT OR UPDATE ON releases FOR EACH ROW
        WHEN (NEW.namespace = '${namespace}') EXECUTE FUNCTION tell_phase();
      CREATE FUNCTION stay_in_phase() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
          WHILE NOT EXISTS (SELECT FROM reaped_phases WHERE phase = OLD.phase) LOOP PERFORM pg_sleep(0.02); END LOOP;
          RETURN NEW;
        END $$;
      CREATE TRIGGER stay_in_phase BEFORE UPDATE ON releases FOR EACH ROW
        WHEN (NEW.namespace = '${namespace}' AND NEW.phase <> OLD.phase) EXECUTE FUNCTION stay_in_phase();
      LISTEN phase`);
    database.on('notification', ({ payload }) => {
      reaper.#entered = payload;
      reaper.#reap();
    });
    return reaper;
  }

  /** Who dies next; to be set again after each death. */
  set victim(victim: ManagedProcess) {
    this.#victim = victim;
    this.#reap();
  }

  #reap(): void {
    const phase = this.#entered;
    if (phase === undefined || this.#victim === undefined || this.killed.includes(phase)) return;
    this.#victim.kill('SIGKILL');
    this.#victim = undefined;
    this.killed.push(phase);
    void this.#database.query('INSERT INTO reaped_phases VALUES ($1)', [phase]);
  }
}
