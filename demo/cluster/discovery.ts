import { type Resource, resources, type Subresource } from './resources.ts';
import { type Question, questions } from './reviews.ts';

/** What the server says about itself: the answers of the discovery URLs, by path. */
export function discovery(): ReadonlyMap<string, unknown> {
  const groups = [...new Set([...resources, ...questions].map(({ group }) => group))].filter(
    (group) => group !== '',
  );
  const described = groups.map(describeGroup);
  return new Map<string, unknown>([
    ['/version', version],
    ['/api', { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }],
    ['/api/v1', listOf('')],
    ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: described }],
    ...described.flatMap((group): [string, unknown][] => [
      [`/apis/${group.name}`, { kind: 'APIGroup', apiVersion: 'v1', ...group }],
      [`/apis/${group.preferredVersion.groupVersion}`, listOf(group.name)],
    ]),
  ]);
}

const version = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+keypad-demo',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2024-12-11T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'demo',
};

function versionOf(group: string): string {
  return resources.find((resource) => resource.group === group)?.version ?? 'v1';
}

function describeGroup(name: string) {
  const preferred = { groupVersion: `${name}/${versionOf(name)}`, version: versionOf(name) };
  return { name, versions: [preferred], preferredVersion: preferred };
}

function listOf(group: string): unknown {
  const members = resources.filter((resource) => resource.group === group);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? 'v1' : `${group}/${versionOf(group)}`,
    resources: [
      ...members.flatMap((resource) => [
        describe(resource),
        ...resource.subresources.map((subresource) => describeSubresource(resource, subresource)),
      ]),
      ...questions.filter((question) => question.group === group).map(describeQuestion),
    ],
  };
}

function describe(resource: Resource): unknown {
  const { plural: name, singular: singularName, namespaced, kind, verbs, shortNames } = resource;
  const inAll = ['pods', 'deployments', 'replicasets', 'jobs', 'horizontalpodautoscalers'].includes(name);
  return { name, singularName, namespaced, kind, verbs, shortNames, categories: inAll ? ['all'] : [] };
}

function describeQuestion({ plural: name, kind }: Question): unknown {
  return { name, singularName: name.slice(0, -1), namespaced: false, kind, verbs: ['create'] };
}

function describeSubresource(resource: Resource, subresource: Subresource): unknown {
  const { plural, namespaced, kind } = resource;
  const verbs = subresource === 'log' ? ['get'] : ['get', 'patch', 'update'];
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  const what = subresource === 'scale' ? scale : { kind };
  return { name: `${plural}/${subresource}`, singularName: '', namespaced, ...what, verbs };
}
