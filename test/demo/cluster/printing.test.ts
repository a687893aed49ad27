import { expect, test } from 'vitest';
import { readAccept } from '../../../demo/cluster/accept.ts';
import { shortDuration } from '../../../demo/cluster/duration.ts';
import { resourceOf } from '../../../demo/cluster/resources.ts';
import { readFieldSelector, readLabelSelector } from '../../../demo/cluster/selectors.ts';

const day = 86_400;

test.each([
  [-5, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [200, '3m20s'],
  [600, '10m'],
  [10_799, '179m'],
  [10_800, '3h'],
  [4 * 3600 + 60, '4h1m'],
  [8 * 3600, '8h'],
  [47 * 3600, '47h'],
  [2 * day, '2d'],
  [3 * day + 7200, '3d2h'],
  [8 * day, '8d'],
  [400 * day, '400d'],
  [733 * day, '2y3d'],
  [9 * 365 * day, '9y'],
])('%d seconds are printed as %s', (seconds, text) => {
  expect(shortDuration(seconds)).toBe(text);
});

const metadata = { name: 'web-1', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const object = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, labels: { app: 'web', tier: 'front', 'a.b/c': '' } },
  spec: { nodeName: 'node-1' },
};

test.each([
  ['', true],
  ['app=web', true],
  ['app==web,tier=front', true],
  ['app=web,tier=back', false],
  ['app!=web', false],
  ['nothing!=web', true],
  ['app in (cart, web)', true],
  ['app in (cart),tier', false],
  ['app notin (cart,api)', true],
  ['nothing in (web)', false],
  ['nothing notin (web)', true],
  ['tier', true],
  ['!tier', false],
  ['a.b/c=', true],
])('the label selector %j matches: %j', (selector, matches) => {
  expect(readLabelSelector(selector)(object)).toBe(matches);
});

test.each(['a b', 'app in web', '=web', 'app in (a,b', '(a)'])(
  'the label selector %j is refused',
  (selector) => {
    expect(() => readLabelSelector(selector)).toThrow('unable to parse requirement');
  },
);

test.each([
  ['metadata.name=web-1', true],
  ['metadata.name==web-1,metadata.namespace=shop', true],
  ['metadata.name!=web-1', false],
  ['spec.nodeName=node-1', true],
  ['status.phase=Running', false],
])('the field selector %j matches: %j', (selector, matches) => {
  expect(readFieldSelector(selector, resourceOf('pods'))(object)).toBe(matches);
});

test.each([
  [undefined, 'json'],
  ['application/json', 'json'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json', 'json'],
  ['application/vnd.kubernetes.protobuf, application/json', 'json'],
  ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,*/*', 'json'],
  ['application/vnd.kubernetes.protobuf', undefined],
  ['application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', undefined],
  ['application/yaml', undefined],
  ['text/html', undefined],
])('a client that accepts %j gets it as %j', (accept, form) => {
  expect(readAccept(accept)).toBe(form);
});
