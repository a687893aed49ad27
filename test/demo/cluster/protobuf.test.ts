import { afterAll, expect, test } from 'vitest';
import { createCluster } from '../../../demo/cluster/cluster.ts';
import { PROTOBUF, readProtobuf } from '../../../demo/cluster/protobuf.ts';
import { smallSeed, token } from './cluster-harness.ts';

const cluster = createCluster({ token, seed: smallSeed });
afterAll(() => cluster.stop());

/** The fields of a message: a number, a text, or another message. */
type Fields = readonly (readonly [number: number, value: number | string | Fields])[];

function encode(fields: Fields): Buffer {
  const parts = fields.map(([number, value]) => {
    if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
    const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value);
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  });
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const rest = Math.floor(value / 128);
  return rest === 0
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) + 128]), varint(rest)]);
}

/** An object as clients in Go send it. */
function sent(apiVersion: string, kind: string, object: Fields): Buffer {
  const type: Fields = [
    [1, apiVersion],
    [2, kind],
  ];
  return Buffer.concat([Buffer.from('k8s\0'), encode([[1, type]]), encode([[2, object]])]);
}

const metadata: Fields = [
  [1, 'web'],
  [3, 'shop'],
  [7, 0],
  [8, [[1, 0]]],
  [
    11,
    [
      [1, 'app'],
      [2, 'web'],
    ],
  ],
  [
    17,
    [
      [1, 'go'],
      [7, [[1, '{"f:spec":{}}']]],
    ],
  ],
];
const container: Fields = [
  [1, 'web'],
  [2, 'shop/web:1'],
  [4, ''],
  [
    6,
    [
      [2, 0],
      [3, 80],
    ],
  ],
  [
    7,
    [
      [1, 'A'],
      [2, ''],
    ],
  ],
  [
    8,
    [
      [
        1,
        [
          [1, 'cpu'],
          [2, [[1, '1']]],
        ],
      ],
    ],
  ],
  [16, 0],
];
const template: Fields = [
  [
    1,
    [
      [
        11,
        [
          [1, 'app'],
          [2, 'web'],
        ],
      ],
    ],
  ],
  [
    2,
    [
      [2, container],
      [14, []],
    ],
  ],
];
const spec: Fields = [
  [1, 0],
  [
    2,
    [
      [
        1,
        [
          [1, 'app'],
          [2, 'web'],
        ],
      ],
    ],
  ],
  [3, template],
  [
    4,
    [
      [
        2,
        [
          [
            1,
            [
              [1, 1],
              [2, 0],
              [3, '25%'],
            ],
          ],
          [
            2,
            [
              [1, 0],
              [2, 1],
              [3, ''],
            ],
          ],
        ],
      ],
    ],
  ],
  [5, 0],
];

test('what a client in Go sends is read as its JSON says it', () => {
  const body = sent('apps/v1', 'Deployment', [
    [1, metadata],
    [2, spec],
    [3, []],
  ]);
  expect(readProtobuf(body)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      labels: { app: 'web' },
      managedFields: [{ manager: 'go', fieldsV1: { 'f:spec': {} } }],
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'shop/web:1',
              args: [''],
              ports: [{ containerPort: 80 }],
              env: [{ name: 'A' }],
              resources: { limits: { cpu: '1' } },
            },
          ],
        },
      },
      strategy: { rollingUpdate: { maxUnavailable: '25%', maxSurge: 1 } },
    },
  });
});

test.each<[what: string, body: Buffer]>([
  ['a kind that is not known here', sent('v1', 'Pod', [[1, metadata]])],
  ['a field that would be lost', sent('apps/v1', 'Deployment', [[1, [...metadata, [4, '/self']]]])],
  ['an object that is cut off', sent('apps/v1', 'Deployment', [[1, metadata]]).subarray(0, -1)],
  ['what is no object', Buffer.from('{}')],
])('%s is refused', (_, body) => {
  expect(() => readProtobuf(body)).toThrow('send JSON');
});

test('a deletion may be sent so, and obeys its preconditions', async () => {
  const payload = sent('v1', 'DeleteOptions', [[2, [[1, 'another']]]]);
  const headers = { authorization: `Bearer ${token}`, 'content-type': PROTOBUF };
  const url = '/apis/apps/v1/namespaces/shop/deployments/web';
  const answer = await cluster.app.inject({ method: 'DELETE', url, headers, payload });
  expect(answer.statusCode).toBe(409);
  expect(cluster.get('deployments', 'shop', 'web')).toBeDefined();
});
