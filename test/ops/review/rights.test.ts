import { writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { can } from '#test/can.ts';
import { departmentText } from '../../../src/contract/principal.ts';
import { fits } from '../../../src/ops/policy/document.ts';
import { createPolicy, type Subject } from '../../../src/ops/policy/policy.ts';
import { changesBetween } from '../../../src/ops/review/compare.ts';
import { type Reading, readSource } from '../../../src/ops/review/read.ts';
import { operationOf } from '../../../src/ops/review/rights.ts';
import { operations, policy, reviewFolder } from './review-harness.ts';

const units = ['甲', '乙', '丙'];
const users = ['lisi', 'wecom-callback/shop/lisi', 'zhangsan'];
const patterns = [...Object.keys(operations), '*', 'k8s.*', '*.flush', 'k8s.*.list'];

const grant = fc.record({
  operations: fc.subarray(patterns, { minLength: 1 }),
  units: fc.oneof(fc.constant('*'), fc.subarray(units, { minLength: 1 })),
  new: fc.constant('allowed'),
});
const role = fc.record({
  members: fc.record({ users: fc.subarray(users), departments: fc.subarray([7, 8]) }),
  grants: fc.array(grant, { minLength: 1, maxLength: 2 }),
});
const policies = fc.record({
  units: fc.constant(Object.fromEntries(units.map((unit) => [unit, { environment: 'test' }]))),
  roles: fc.dictionary(fc.constantFrom('a', 'b', 'c'), role, { minKeys: 1 }),
});

test('what is told of somebody is the difference between what the platform allows them, then and now', async () => {
  const { write, writeOperations } = reviewFolder();
  const folder = writeOperations('other', {
    ...operations,
    'app.flush': "change; needs: ['k8s.pods.list'], units: ['甲', '乙'],",
  });
  const read = async (name: string, document: unknown): Promise<Reading> => {
    // JSON is YAML.
    return readSource({ file: write(name, JSON.stringify(document)), folder, option: '--file' });
  };
  const names = Object.keys(operations);
  const run = fc.asyncProperty(policies, policies, async (first, second) => {
    const [before, after] = [await read('a.yaml', first), await read('b.yaml', second)];
    const { rights } = changesBetween(before, after);
    const toldOf = (holder: string) => rights.find(({ who }) => who === holder);
    // What is added later is called `k8s.x`.
    const [old, now] = [before, after].map(({ document, operations: there }) =>
      createPolicy(document, [...there.values(), { name: 'k8s.x' }]),
    );
    const differs = (subject: Subject, name: string, unit: string): boolean =>
      old?.allows(subject, name, unit) !== now?.allows(subject, name, unit);

    for (const [user, unit, name] of product(users, units, names)) {
      const subject = { user, departments: [] };
      const told = toldOf(user);
      const isGained = told?.gained.get(unit)?.has(name) === true;
      const isLost = told?.lost.get(unit)?.has(name) === true;
      expect([user, unit, name, isGained || isLost]).toEqual([
        user,
        unit,
        name,
        differs(subject, name, unit),
      ]);
      expect(isGained && !now?.allows(subject, name, unit)).toBe(false);
    }
    // Whoever has departments too: what differs is told of the person, or of a department.
    for (const [user, unit, name] of product(['nobody', ...users], units, [...names, 'k8s.x'])) {
      for (const departments of [[7], [8], [7, 8]]) {
        if (!differs({ user, departments }, name, unit)) continue;
        const holders = [user, ...departments.map((each) => `department ${departmentText(user, each)}`)];
        const told = holders.flatMap((holder) => {
          const { gained, lost } = toldOf(holder) ?? {};
          return [...(gained?.get(unit) ?? []), ...(lost?.get(unit) ?? [])].map((right) =>
            operationOf(right),
          );
        });
        const causes = [name, ...(after.operations.get(name)?.needs ?? [])];
        const isTold = told.some((each) => causes.some((cause) => fits(each, cause)));
        expect([holders, unit, name, told, isTold]).toEqual([holders, unit, name, told, true]);
      }
    }
  });
  await fc.assert(run, { numRuns: 150 });
});

function product<A, B, C>(
  as: readonly A[],
  bs: readonly B[],
  cs: readonly C[],
): readonly (readonly [A, B, C])[] {
  return as.flatMap((a) => bs.flatMap((b) => cs.map((c) => [a, b, c] as const)));
}

test('can() answers what the platform would', async () => {
  const { write, operationsFolder } = reviewFolder();
  const options = { file: write('policy.yaml', policy), operations: operationsFolder };
  expect(await can('zhangsan', 'k8s.scale', '支付', options)).toBe(true);
  expect(await can('ZhangSan', 'k8s.scale', '支付', options)).toBe(true);
  expect(await can('wecom-callback/shop/zhangsan', 'k8s.scale', '支付', options)).toBe(false);
  expect(await can('zhangsan', 'k8s.scale', '2', options)).toBe(false);
  expect(await can('mallory', 'k8s.scale', '支付', options)).toBe(false);
  expect(await can('mallory', 'k8s.scale', '支付', { ...options, departments: [8, 7] })).toBe(true);
  writeFileSync(options.file, policy.replace('zhangsan', 'mallory'));
  expect(await can('mallory', 'k8s.scale', '支付', options)).toBe(true);
});

test('can() refuses what is not there, of which it could only ever say no', async () => {
  await expect(can('lisi', 'k8s.scael', '电商')).rejects.toThrow(
    'there is no operation "k8s.scael" in operations',
  );
  await expect(can('lisi', 'k8s.*', '电商')).rejects.toThrow('there is no operation "k8s.*"');
  await expect(can('lisi', 'k8s.scale', '电 商')).rejects.toThrow(
    'there is no unit "电 商" in deploy/policy.yaml',
  );
  await expect(can('li si', 'k8s.scale', '电商')).rejects.toThrow('is no user of a channel');
});
