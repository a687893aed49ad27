import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowances, planRollout, type Sets } from '../../../demo/cluster/rollout.ts';
import { shapes } from '../../../demo/cluster/shapes.ts';

function specOf(replicas: number, strategy?: object) {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  const spec = { replicas, selector: { matchLabels: { app: 'a' } }, template, strategy };
  const metadata = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  return shapes.deployments.parse({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }).spec;
}

/** A set written as `name:replicas/available`. */
function set(text: string) {
  const [, name = '', replicas, available] = /^(\w+):(\d+)\/(\d+)$/.exec(text) ?? [];
  return { name, replicas: Number(replicas), available: Number(available) };
}

const recreate = { type: 'Recreate' };
const noSurge = { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } };

test.each<[promise: string, spec: ReturnType<typeof specOf>, sets: readonly string[], plan: object]>([
  ['a first rollout makes everything at once', specOf(3), ['n:0/0'], { n: 3 }],
  ['a rollout begins with the surge', specOf(4), ['n:0/0', 'o:4/4'], { n: 1 }],
  ['no old pod goes before a new one is there', specOf(3), ['n:1/0', 'o:3/3'], {}],
  ['an old pod goes when a new one is there', specOf(3), ['n:1/1', 'o:3/3'], { o: 2 }],
  ['old pods that never were ready go first', specOf(4), ['n:1/0', 'o:2/0', 'p:2/2'], { o: 1 }],
  ['a smaller size takes from the new pods', specOf(1), ['n:3/3'], { n: 1 }],
  ['zero is a size', specOf(0), ['n:3/3'], { n: 0 }],
  ['old pods go when the size is zero', specOf(0), ['n:0/0', 'o:3/3'], { o: 0 }],
  ['what is at rest stays so', specOf(3), ['n:3/3', 'o:0/0'], {}],
  ['recreate ends the old pods first', specOf(2, recreate), ['n:0/0', 'o:2/2'], { o: 0 }],
  ['recreate then makes the new ones', specOf(2, recreate), ['n:0/0', 'o:0/0'], { n: 2 }],
  ['without any allowance one pod may be missing', specOf(2, noSurge), ['n:0/0', 'o:2/2'], { o: 1 }],
])('%s', (_, spec, [fresh = '', ...old], plan) => {
  const sets: Sets = { fresh: set(fresh), old: old.map(set) };
  expect(Object.fromEntries(planRollout(spec, sets))).toEqual(plan);
});

test('a rollout always ends, with never too few and never too many pods on the way', () => {
  const share = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
  );
  const sizes = fc.tuple(fc.integer({ min: 0, max: 12 }), share, share);
  fc.assert(
    fc.property(sizes, ([replicas, maxSurge, maxUnavailable]) => {
      const spec = specOf(replicas, { rollingUpdate: { maxSurge, maxUnavailable } });
      const { surge, unavailable } = allowances(spec);
      let sets: Sets = {
        fresh: { name: 'n', replicas: 0, available: 0 },
        old: [{ name: 'o', replicas, available: replicas }],
      };
      for (let step = 0; step < 100; step += 1) {
        const plan = planRollout(spec, sets);
        const apply = (each: Sets['fresh'], ready: boolean) => {
          const size = plan.get(each.name) ?? each.replicas;
          return { ...each, replicas: size, available: ready ? size : Math.min(size, each.available) };
        };
        // A plan takes effect first; its new pods are ready a step later, when nothing else is left to do.
        sets = { fresh: apply(sets.fresh, plan.size === 0), old: sets.old.map((each) => apply(each, false)) };
        const all = [sets.fresh, ...sets.old];
        expect(all.reduce((sum, each) => sum + each.replicas, 0)).toBeLessThanOrEqual(replicas + surge);
        expect(all.reduce((sum, each) => sum + each.available, 0)).toBeGreaterThanOrEqual(
          replicas - unavailable,
        );
      }
      expect([sets.fresh.available, sets.old[0]?.replicas]).toEqual([replicas, 0]);
    }),
  );
});
