import type { Verdict } from '@keelson/contracts';
import { Icon } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';

const count = new Intl.NumberFormat('en');

/** The verifier's account of all orders: what should be nothing stands apart, and is red where it is not. */
export function Account({ verdict }: { readonly verdict: Verdict }) {
  const flow = [
    { name: 'accepted', value: verdict.accepted, to: addressOf('orders') },
    { name: 'confirmed', value: verdict.confirmed, to: addressOf('orders', undefined, { status: 'confirmed' }) },
    { name: 'compensated', value: verdict.compensated, to: addressOf('orders', undefined, { status: 'compensated' }) },
  ];
  const faults = [
    { name: 'lost', value: verdict.lost.length },
    { name: 'doubled', value: verdict.doubled.length },
    { name: 'stuck', value: verdict.stuck.length },
    { name: 'stock wrong', value: verdict.negative.length },
  ];
  return (
    <div className="account">
      <ul className="account-flow">
        {flow.map(({ name, value, to }) => (
          <li key={name}>
            <Link to={to}>
              <b>{count.format(value)}</b>
              {name}
            </Link>
          </li>
        ))}
      </ul>
      <ul className="account-faults">
        {faults.map(({ name, value }) => (
          <li key={name} data-tone={value === 0 ? 'good' : 'bad'}>
            <b>{count.format(value)}</b>
            {name}
          </li>
        ))}
      </ul>
      <p className="account-verdict small">
        <Icon name={verdict.ok ? 'good' : 'bad'} />
        {verdict.ok ? 'The books are right' : 'The books are wrong'}
        {verdict.readAt === undefined ? null : (
          <span className="quiet">
            read <Time at={verdict.readAt} />
          </span>
        )}
      </p>
    </div>
  );
}
