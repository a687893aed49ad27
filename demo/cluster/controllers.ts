import { reconcileDeployment } from './deployment-controller.ts';
import { ApiFailure } from './failure.ts';
import { collectGarbage } from './garbage.ts';
import { createJobController } from './job-controller.ts';
import { createKubelet } from './kubelet.ts';
import { reconcileReplicaSet } from './replica-set-controller.ts';
import type { KubeObject } from './shapes.ts';
import type { World } from './world.ts';

/** The controllers and the kubelet: what changes objects without a request. */
export interface Controllers {
  /** Runs steps, without waiting in between, until none changes anything. */
  settle(): void;
  /** Pauses all of them: writes are stored, and no controller reacts. */
  hold(): void;
  /** Resumes them, from what the store holds then. */
  release(): void;
  stop(): void;
}

/** How often everything is looked at again although nothing was written: deadlines pass without a write. */
const resync = 10_000;

/**
 * Starts on hold. Controllers act at once on a write; pods take one step of their life every `tick` milliseconds.
 * No timer keeps the process alive.
 */
export function createControllers(
  world: World,
  options: { readonly tick: number; readonly isAbsent: (image: string) => boolean },
): Controllers {
  const { store } = world;
  let held = true;
  let soon: NodeJS.Timeout | undefined;
  let step: NodeJS.Timeout | undefined;
  let bell: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;

  let writes = 0;

  /** Wakes everybody at that moment (in milliseconds), if nobody wanted to be woken before. */
  const alarm = (at: number): void => {
    if (bell !== undefined && bell.at <= at) return;
    clearTimeout(bell?.timer);
    const ring = (): void => {
      bell = undefined;
      wake();
    };
    bell = { at, timer: setTimeout(ring, Math.max(1, at - world.now().getTime())).unref() };
  };
  const kubelet = createKubelet(world, { isAbsent: options.isAbsent, alarm });
  const jobs = createJobController(world, alarm);

  const attempt = (object: KubeObject, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const failed = { source: 'kube-controller-manager', type: 'Warning', reason: 'FailedCreate' } as const;
      world.record(object, { ...failed, message: error.message });
    }
  };
  const reconcile = (): void => {
    for (let before = -1; before !== writes; ) {
      before = writes;
      for (const deployment of store.list('deployments')) {
        attempt(deployment, () => reconcileDeployment(world, deployment));
      }
      for (const set of store.list('replicasets')) attempt(set, () => reconcileReplicaSet(world, set));
      for (const job of store.list('jobs')) attempt(job, () => jobs.reconcile(job));
      collectGarbage(world);
    }
  };
  const wake = (): void => {
    if (held) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      reconcile();
    }, 0).unref();
    step ??= setTimeout(() => {
      step = undefined;
      if (kubelet.tick()) wake();
    }, options.tick).unref();
  };
  const hold = (): void => {
    held = true;
    clearTimeout(soon);
    clearTimeout(step);
    clearTimeout(bell?.timer);
    bell = undefined;
    soon = undefined;
    step = undefined;
  };

  const unsubscribe = store.subscribe(({ plural }) => {
    // Controllers write events themselves: reacting to those would never end.
    if (plural === 'events') return;
    writes += 1;
    wake();
  });
  const clock = setInterval(wake, resync).unref();
  return {
    settle: () => {
      do reconcile();
      while (kubelet.tick());
    },
    hold,
    release: () => {
      held = false;
      wake();
    },
    stop: () => {
      hold();
      unsubscribe();
      jobs.stop();
      clearInterval(clock);
    },
  };
}
