import type { ReactNode } from 'react';
import type { Listing } from '../api/use-list.ts';
import type { Permission } from '../session/standing.ts';
import { Failure } from './failure.tsx';
import type { IconName } from './icon.tsx';
import { Empty, Show } from './reading.tsx';
import { type Column, More, type Noun, Table } from './table.tsx';

interface ListViewProps<Row> {
  readonly list: Listing<Row>;
  readonly permission: Permission;
  readonly noun: Noun;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly toneOf?: (row: Row) => string | undefined;
  readonly empty: { readonly icon: IconName; readonly title: string; readonly hint?: ReactNode };
  /** Another order, or fewer rows, than the service gives. */
  readonly arrange?: (rows: readonly Row[]) => readonly Row[];
}

/** A list in each of its states: reading, failed, not allowed, empty, rows, more rows. */
export function ListView<Row>(props: ListViewProps<Row>) {
  const { list, permission, noun, columns, keyOf, toneOf, empty, arrange } = props;
  if (!permission.allowed) return <Empty icon="info" title={permission.reason} />;
  return (
    <Show reading={{ ...list, data: list.rows }} what={noun.many} lines={6}>
      {(rows) =>
        rows.length === 0 ? (
          <Empty icon={empty.icon} title={empty.title}>
            {empty.hint}
          </Empty>
        ) : (
          <>
            <Table
              caption={noun.many}
              columns={columns}
              rows={arrange === undefined ? rows : arrange(rows)}
              keyOf={keyOf}
              {...(toneOf === undefined ? {} : { toneOf })}
            />
            {list.moreError === undefined ? null : <Failure error={list.moreError} />}
            <More more={list.more} loading={list.loadingMore} shown={rows.length} noun={noun} />
          </>
        )
      }
    </Show>
  );
}
