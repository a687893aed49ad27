import { expect, test } from 'vitest';
import { applyPatch } from '../../../demo/cluster/patch.ts';

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const json = 'application/json-patch+json';
const pod = {
  containers: [
    { name: 'a', image: 'a:1' },
    { name: 'b', image: 'b:1' },
  ],
  args: ['x'],
};

test.each<[promise: string, type: string, target: unknown, patch: unknown, result: unknown]>([
  ['a merge patch merges objects', merge, { a: { b: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
  ['null removes', merge, { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ['null inside something new is left out', merge, {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
  ['a merge patch replaces lists', merge, pod, { containers: [] }, { ...pod, containers: [] }],
  [
    'a strategic patch merges a list by its key',
    strategic,
    pod,
    { containers: [{ name: 'b', image: 'b:2' }, { name: 'c' }] },
    { ...pod, containers: [{ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:2' }, { name: 'c' }] },
  ],
  [
    'a strategic patch puts what it names in its own order',
    strategic,
    pod,
    { containers: [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
    { ...pod, containers: [{ name: 'c' }, { name: 'b', image: 'b:1' }, { name: 'a', image: 'a:1' }] },
  ],
  [
    'a strategic patch may say the order of items that it leaves alone',
    strategic,
    pod,
    {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a', image: 'a:2' }],
    },
    {
      ...pod,
      containers: [
        { name: 'b', image: 'b:1' },
        { name: 'a', image: 'a:2' },
      ],
    },
  ],
  [
    'a strategic patch takes a list that is new as it is',
    strategic,
    {},
    { ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] },
    { ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] },
  ],
  [
    'a strategic patch deletes an item by its key',
    strategic,
    pod,
    { containers: [{ name: 'a', $patch: 'delete' }] },
    { ...pod, containers: [{ name: 'b', image: 'b:1' }] },
  ],
  [
    'a strategic patch replaces a list when it says so',
    strategic,
    pod,
    { containers: [{ $patch: 'replace' }, { name: 'c' }] },
    { ...pod, containers: [{ name: 'c' }] },
  ],
  ['a strategic patch replaces a list without key', strategic, pod, { args: ['y'] }, { ...pod, args: ['y'] }],
  [
    'the order a strategic patch sends along is no field',
    strategic,
    pod,
    { '$setElementOrder/containers': [{ name: 'a' }] },
    pod,
  ],
  ['a JSON patch adds', json, { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
  ['a JSON patch adds at the end', json, { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
  ['a JSON patch removes', json, { a: [1, 2], b: 1 }, [{ op: 'remove', path: '/a/0' }], { a: [2], b: 1 }],
  [
    'a JSON patch replaces in a list',
    json,
    { a: [1, 2] },
    [{ op: 'replace', path: '/a/0', value: 9 }],
    { a: [9, 2] },
  ],
  [
    'a JSON patch replaces everything',
    json,
    { a: 1 },
    [{ op: 'replace', path: '', value: { b: 1 } }],
    { b: 1 },
  ],
  ['a JSON patch moves', json, { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
  ['a JSON patch copies', json, { a: 1 }, [{ op: 'copy', from: '/a', path: '/b' }], { a: 1, b: 1 }],
  [
    'a pointer escapes / and ~',
    json,
    { 'a/b~': 1 },
    [{ op: 'replace', path: '/a~1b~0', value: 2 }],
    { 'a/b~': 2 },
  ],
  ['a test that holds changes nothing', json, { a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }],
])('%s', (_, type, target, patch, result) => {
  const before = structuredClone(target);
  expect(applyPatch(type, target, patch)).toEqual(result);
  expect(target).toEqual(before);
});

test.each<[why: string, patch: unknown, code: number]>([
  ['a test that does not hold', [{ op: 'test', path: '/a', value: 2 }], 422],
  ['a path that is not there', [{ op: 'replace', path: '/x/y', value: 2 }], 422],
  ['a removal of nothing', [{ op: 'remove', path: '/x' }], 422],
  ['an index beyond the list', [{ op: 'add', path: '/l/3', value: 2 }], 422],
  ['an index that is no number', [{ op: 'replace', path: '/l/01', value: 2 }], 422],
  ['a member of the prototype', [{ op: 'copy', from: '/constructor', path: '/b' }], 422],
  ['an unknown operation', [{ op: 'merge', path: '/a' }], 400],
  ['a pointer without its slash', [{ op: 'remove', path: 'a' }], 400],
  ['something that is no list', { op: 'remove', path: '/a' }, 400],
])('a JSON patch with %s is refused', (_, patch, code) => {
  expect(() => applyPatch(json, { a: 1, l: [1, 2] }, patch)).toThrow(
    expect.objectContaining({ status: expect.objectContaining({ code }) }),
  );
});
