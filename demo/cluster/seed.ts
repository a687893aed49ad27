import type { Seed } from './cluster.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const registry = 'registry.example.com';

/** One application of the demo: what runs, how many of it, for how long. */
interface Application {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly age: number;
}

const applications: readonly Application[] = [
  { namespace: 'shop', name: 'api-gateway', image: 'shop/api-gateway:4.12.0', replicas: 4, age: 41 * day },
  { namespace: 'shop', name: 'cart', image: 'shop/cart:2.7.3', replicas: 3, age: 12 * day },
  { namespace: 'shop', name: 'catalog', image: 'shop/catalog:5.0.1', replicas: 3, age: 33 * day },
  { namespace: 'shop', name: 'comment', image: 'shop/comment:1.9.8', replicas: 2, age: 75 * day },
  { namespace: 'shop', name: 'coupon', image: 'shop/coupon:2.8.0-rc1', replicas: 2, age: 26 * minute },
  { namespace: 'shop', name: 'image-proxy', image: 'infra/imgproxy:3.27.2', replicas: 2, age: 120 * day },
  { namespace: 'shop', name: 'inventory', image: 'shop/inventory:3.3.0', replicas: 2, age: 19 * day },
  { namespace: 'shop', name: 'member', image: 'shop/member:2.1.6', replicas: 2, age: 54 * day },
  { namespace: 'shop', name: 'order', image: 'shop/order:6.4.2', replicas: 4, age: 8 * day },
  { namespace: 'shop', name: 'push-worker', image: 'shop/push-worker:1.3.0', replicas: 1, age: 97 * day },
  { namespace: 'shop', name: 'recommend', image: 'shop/recommend:0.18.4', replicas: 2, age: 5 * day },
  { namespace: 'shop', name: 'search', image: 'shop/search:3.11.5', replicas: 3, age: 28 * day },
  { namespace: 'shop', name: 'web', image: 'shop/web:2025.11.2', replicas: 2, age: 3 * day },
  { namespace: 'pay', name: 'payment-core', image: 'pay/payment-core:8.2.1', replicas: 3, age: 16 * day },
  { namespace: 'pay', name: 'risk-engine', image: 'pay/risk-engine:1.44.0', replicas: 2, age: 4 * day },
  { namespace: 'pay', name: 'settle', image: 'pay/settle:3.0.7', replicas: 1, age: 62 * day },
];

const speeches: Readonly<Record<string, readonly string[]>> = {
  web: ['GET / 200 18ms', 'GET /item/{n} 200 42ms', 'GET /cart 200 25ms', 'GET /item/{n} 304 3ms'],
  cart: ['cart {n}: item added', 'cart {n}: price refreshed in 11ms', 'cart {n}: checked out'],
  order: ['order {n} created', 'order {n} paid', 'order {n} handed to the warehouse'],
  'payment-core': ['payment {n} authorized in 132ms', 'payment {n} captured', 'refund {n} accepted'],
  settle: ['batch {n}: 412 entries settled', 'batch {n}: balanced, difference 0.00'],
  'risk-engine': ['rule set 118 loaded', 'payment {n} scored 0.03', 'payment {n} scored 0.11'],
};

function deployment({ namespace, name, image, replicas }: Application): unknown {
  const labels = { app: name };
  const container = {
    name,
    image: `${registry}/${image}`,
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
  };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return {
    metadata: { namespace, name, labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

function namespace(name: string): unknown {
  return { metadata: { name, labels: { 'kubernetes.io/metadata.name': name } }, status: { phase: 'Active' } };
}

const node = {
  metadata: {
    name: 'demo-1',
    labels: { 'kubernetes.io/hostname': 'demo-1', 'node-role.kubernetes.io/worker': '' },
  },
  spec: {},
  status: {
    capacity: { cpu: '32', memory: '128Gi', pods: '250' },
    allocatable: { cpu: '32', memory: '128Gi', pods: '250' },
    conditions: [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
    ],
    addresses: [{ type: 'InternalIP', address: '10.0.0.11' }],
    nodeInfo: {
      kubeletVersion: 'v1.32.0',
      osImage: 'Debian GNU/Linux 12',
      containerRuntimeVersion: 'containerd://1.7.24',
    },
  },
};

const autoscaler = {
  metadata: { namespace: 'shop', name: 'api-gateway' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api-gateway' },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
    ],
  },
  status: {
    currentReplicas: 4,
    desiredReplicas: 4,
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 63, averageValue: '63m' } },
      },
    ],
  },
};

/**
 * The demo's cluster: one node; namespace `shop` (电商) with thirteen deployments, of which `coupon` cannot pull its
 * image and `api-gateway` is under an autoscaler; namespace `pay` (支付) with three.
 */
export const demoSeed: Seed = {
  objects: [
    { plural: 'nodes', age: 150 * day, object: node },
    ...['default', 'shop', 'pay'].map((name) => {
      return { plural: 'namespaces', age: 150 * day, object: namespace(name) } as const;
    }),
    ...applications
      .toSorted((one, other) => other.age - one.age)
      .map((application) => {
        return { plural: 'deployments', age: application.age, object: deployment(application) } as const;
      }),
    { plural: 'horizontalpodautoscalers', age: 40 * day, object: autoscaler },
  ],
  absentImages: [`${registry}/shop/coupon:2.8.0-rc1`],
  speech: (application) => speeches[application] ?? ['GET /healthz 200 1ms', 'request {n} served in 9ms'],
};
