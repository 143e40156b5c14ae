import { defaultSettings } from '../routing/annotations.ts';
import type { Location } from '../routing/table.ts';
import { renderFamilies } from './registry.ts';
import { RequestMetrics } from './requests.ts';

const location: Location = {
  path: '/orders',
  pathType: 'Prefix',
  backend: {
    name: 'shop-stable-80',
    namespace: 'shop',
    service: 'stable',
    port: '80',
    policy: undefined,
    alternatives: [],
  },
  ingress: { namespace: 'shop', name: 'orders' },
  settings: defaultSettings,
};
const constant = {
  controller_class: 'k8s.io/ingress-nginx',
  controller_namespace: 'ingress-nginx',
  controller_pod: 'gw',
};

describe('request metrics', () => {
  test('carry the labels of ingress-nginx; a canary shows in its own label', () => {
    const metrics = new RequestMetrics(constant);
    metrics.observe('a.test', location, 'POST', 202, '', 12);
    metrics.observe('a.test', location, 'POST', 202, 'shop-next-80', 30);
    const text = renderFamilies(metrics.families());
    expect(text).toContain(
      'nginx_ingress_controller_requests{canary="shop-next-80",controller_class="k8s.io/ingress-nginx",' +
        'controller_namespace="ingress-nginx",controller_pod="gw",host="a.test",ingress="orders",method="POST",' +
        'namespace="shop",path="/orders",service="stable",status="202"} 1',
    );
    expect(text).toMatch(/request_duration_seconds_bucket\{canary="",.*le="0.025"\} 1/);
    expect(text).toMatch(/request_duration_seconds_sum\{canary="".*\} 0.012/);
  });

  test('are bounded: any method, any path, any host of a client', () => {
    const metrics = new RequestMetrics(constant);
    for (let i = 0; i < 20_000; i++) metrics.observe('_', undefined, `METHOD${i}`, 404, '', 1);
    expect(renderFamilies(metrics.families()).match(/^nginx_ingress_controller_requests\{/gm)).toHaveLength(1);
    for (let i = 0; i < 20_000; i++) metrics.observe('_', undefined, 'GET', i, '', 1);
    expect(renderFamilies(metrics.families()).match(/^nginx_ingress_controller_requests\{/gm)).toHaveLength(5000);
  });

  test('go with their Ingress', () => {
    const metrics = new RequestMetrics(constant);
    metrics.observe('a.test', location, 'GET', 200, '', 1);
    metrics.retain(new Set());
    expect(renderFamilies(metrics.families())).not.toContain('nginx_ingress_controller_requests{');
  });
});
