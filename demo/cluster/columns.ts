import { isTrue } from './conditions.ts';
import { shortDuration } from './duration.ts';
import type { Kinds, Plural, Pod } from './shapes.ts';

/** One column of kubectl's table: its title and, per object, its cell. Wide ones show with `-o wide`. */
export interface Column<T> {
  readonly name: string;
  readonly wide?: true;
  readonly cell: (object: T, now: Date) => string | number;
}

/** The columns of each kind, as the real server prints them. */
export const columns: { readonly [P in Plural]: readonly Column<Kinds[P]>[] } = {
  namespaces: [name(), { name: 'Status', cell: ({ status }) => status.phase }, age()],
  nodes: [
    name(),
    {
      name: 'Status',
      cell: ({ spec, status }) => {
        const ready = isTrue(status?.conditions, 'Ready') ? 'Ready' : 'NotReady';
        return spec.unschedulable ? `${ready},SchedulingDisabled` : ready;
      },
    },
    { name: 'Roles', cell: ({ metadata }) => rolesOf(metadata.labels ?? {}) },
    age(),
    { name: 'Version', cell: ({ status }) => textAt(status, 'nodeInfo', 'kubeletVersion') },
  ],
  pods: [
    name(),
    { name: 'Ready', cell: (pod) => `${readyContainers(pod)}/${pod.spec.containers.length}` },
    { name: 'Status', cell: statusOfPod },
    {
      name: 'Restarts',
      cell: ({ status }) => status.containerStatuses?.reduce((sum, each) => sum + each.restartCount, 0) ?? 0,
    },
    age(),
    { name: 'IP', wide: true, cell: ({ status }) => status.podIP ?? none },
    { name: 'Node', wide: true, cell: ({ spec }) => spec.nodeName ?? none },
  ],
  events: [
    { name: 'Last Seen', cell: ({ lastTimestamp }, now) => since(lastTimestamp, now) },
    { name: 'Type', cell: ({ type }) => type ?? '' },
    { name: 'Reason', cell: ({ reason }) => reason ?? '' },
    { name: 'Object', cell: ({ involvedObject: { kind, name } }) => `${kind.toLowerCase()}/${name}` },
    { name: 'Message', cell: ({ message }) => message ?? '' },
  ],
  deployments: [
    name(),
    { name: 'Ready', cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
    { name: 'Up-to-date', cell: ({ status }) => status.updatedReplicas ?? 0 },
    { name: 'Available', cell: ({ status }) => status.availableReplicas ?? 0 },
    age(),
    ...ofTemplate(),
  ],
  replicasets: [
    name(),
    { name: 'Desired', cell: ({ spec }) => spec.replicas },
    { name: 'Current', cell: ({ status }) => status.replicas ?? 0 },
    { name: 'Ready', cell: ({ status }) => status.readyReplicas ?? 0 },
    age(),
    ...ofTemplate(),
  ],
  jobs: [
    name(),
    { name: 'Status', cell: statusOfJob },
    { name: 'Completions', cell: ({ spec, status }) => `${status.succeeded ?? 0}/${spec.completions}` },
    { name: 'Duration', cell: ({ status }, now) => durationOf(status, now) },
    age(),
    ...ofTemplate(),
  ],
  horizontalpodautoscalers: [
    name(),
    { name: 'Reference', cell: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}` },
    { name: 'Targets', cell: targetsOf },
    { name: 'MinPods', cell: ({ spec }) => spec.minReplicas },
    { name: 'MaxPods', cell: ({ spec }) => spec.maxReplicas },
    { name: 'Replicas', cell: ({ status }) => status?.currentReplicas ?? 0 },
    age(),
  ],
};

const none = '<none>';

interface Named {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
}

function name(): Column<Named> {
  return { name: 'Name', cell: ({ metadata }) => metadata.name };
}

function age(): Column<Named> {
  return { name: 'Age', cell: ({ metadata }, now) => since(metadata.creationTimestamp, now) };
}

function ofTemplate(): readonly Column<Kinds['deployments'] | Kinds['replicasets'] | Kinds['jobs']>[] {
  return [
    { name: 'Containers', wide: true, cell: ({ spec }) => joined(spec.template.spec.containers, 'name') },
    { name: 'Images', wide: true, cell: ({ spec }) => joined(spec.template.spec.containers, 'image') },
    {
      name: 'Selector',
      wide: true,
      cell: ({ spec }) =>
        Object.entries(spec.selector.matchLabels)
          .map((pair) => pair.join('='))
          .join(','),
    },
  ];
}

function joined(containers: Pod['spec']['containers'], field: 'name' | 'image'): string {
  return containers.map((container) => container[field]).join(',');
}

function since(time: string | undefined, now: Date): string {
  return time === undefined ? '<unknown>' : shortDuration((now.getTime() - Date.parse(time)) / 1000);
}

function rolesOf(labels: Readonly<Record<string, string>>): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(labels).filter((label) => label.startsWith(prefix));
  return roles.map((role) => role.slice(prefix.length)).join(',') || none;
}

function readyContainers({ status }: Pod): number {
  return status.containerStatuses?.filter((container) => container.ready).length ?? 0;
}

function statusOfPod({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const states = status.containerStatuses?.map(({ state }) => state.waiting ?? state.terminated);
  return states?.find((state) => state !== undefined)?.reason ?? status.phase;
}

function statusOfJob({ status }: Kinds['jobs']): string {
  const said = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'];
  return said.find((type) => isTrue(status.conditions, type)) ?? 'Running';
}

function durationOf({ startTime, completionTime }: Kinds['jobs']['status'], now: Date): string {
  if (startTime === undefined) return '';
  const end = completionTime === undefined ? now.getTime() : Date.parse(completionTime);
  return shortDuration((end - Date.parse(startTime)) / 1000);
}

/** How much is used of how much should be: `cpu: 43%/70%`. */
function targetsOf({ spec, status }: Kinds['horizontalpodautoscalers']): string {
  const used = (name: string) =>
    status?.currentMetrics?.find(({ resource }) => resource?.name === name)?.resource?.current
      .averageUtilization;
  const targets = (spec.metrics ?? []).flatMap(({ resource }) => {
    const wanted = resource?.target.averageUtilization;
    if (resource === undefined || wanted === undefined) return [];
    const now = used(resource.name);
    return [`${resource.name}: ${now === undefined ? '<unknown>' : `${now}%`}/${wanted}%`];
  });
  return targets.join(', ') || none;
}

function textAt(object: unknown, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (at, step) => (at as Record<string, unknown> | undefined)?.[step],
    object,
  );
  return typeof value === 'string' ? value : none;
}
