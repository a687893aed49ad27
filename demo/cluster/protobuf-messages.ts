/**
 * What a field holds. A `count` of zero is one that is not set, a `number` may be zero; an `amount` is a Quantity, an
 * `or-text` a number or a text, `json` are bytes of JSON.
 */
type Held = 'text' | 'number' | 'count' | 'flag' | 'map' | 'amounts' | 'time' | 'or-text' | 'json' | Message;
/** A field of a message: its name, what it holds, and whether there may be several. */
export type Field = readonly [name: string, holds: Held, several?: true];
/** The fields of a message that this server reads, by their numbers in the API's generated.proto. */
export type Message = { readonly [number: number]: Field };

const owner: Message = {
  1: ['kind', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
  5: ['apiVersion', 'text'],
  6: ['controller', 'flag'],
  7: ['blockOwnerDeletion', 'flag'],
};
const managed: Message = {
  1: ['manager', 'text'],
  2: ['operation', 'text'],
  3: ['apiVersion', 'text'],
  4: ['time', 'time'],
  6: ['fieldsType', 'text'],
  7: ['fieldsV1', 'json'],
  8: ['subresource', 'text'],
};
const metadata: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  7: ['generation', 'count'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'number'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
  13: ['ownerReferences', owner, true],
  14: ['finalizers', 'text', true],
  17: ['managedFields', managed, true],
};
const port: Message = {
  1: ['name', 'text'],
  2: ['hostPort', 'count'],
  3: ['containerPort', 'count'],
  4: ['protocol', 'text'],
  5: ['hostIP', 'text'],
};
const container: Message = {
  1: ['name', 'text'],
  2: ['image', 'text'],
  3: ['command', 'text', true],
  4: ['args', 'text', true],
  5: ['workingDir', 'text'],
  6: ['ports', port, true],
  7: ['env', { 1: ['name', 'text'], 2: ['value', 'text'] }, true],
  8: ['resources', { 1: ['limits', 'amounts'], 2: ['requests', 'amounts'] }],
  13: ['terminationMessagePath', 'text'],
  14: ['imagePullPolicy', 'text'],
  20: ['terminationMessagePolicy', 'text'],
};
const podSpec: Message = {
  2: ['containers', container, true],
  3: ['restartPolicy', 'text'],
  4: ['terminationGracePeriodSeconds', 'number'],
  5: ['activeDeadlineSeconds', 'number'],
  6: ['dnsPolicy', 'text'],
  7: ['nodeSelector', 'map'],
  8: ['serviceAccountName', 'text'],
  9: ['serviceAccount', 'text'],
  10: ['nodeName', 'text'],
  19: ['schedulerName', 'text'],
};
const template: Message = { 1: ['metadata', metadata], 2: ['spec', podSpec] };
const selector: Message = { 1: ['matchLabels', 'map'] };
const said: Message = { 1: ['type', 'text'], 2: ['status', 'text'] };
const rolling: Message = { 1: ['maxUnavailable', 'or-text'], 2: ['maxSurge', 'or-text'] };
const ofDeployment: Message = {
  ...said,
  4: ['reason', 'text'],
  5: ['message', 'text'],
  6: ['lastUpdateTime', 'time'],
  7: ['lastTransitionTime', 'time'],
};
const ofJob: Message = {
  ...said,
  3: ['lastProbeTime', 'time'],
  4: ['lastTransitionTime', 'time'],
  5: ['reason', 'text'],
  6: ['message', 'text'],
};
const deployment: Message = {
  1: ['metadata', metadata],
  2: [
    'spec',
    {
      1: ['replicas', 'number'],
      2: ['selector', selector],
      3: ['template', template],
      4: ['strategy', { 1: ['type', 'text'], 2: ['rollingUpdate', rolling] }],
      5: ['minReadySeconds', 'count'],
      6: ['revisionHistoryLimit', 'number'],
      7: ['paused', 'flag'],
      9: ['progressDeadlineSeconds', 'number'],
    },
  ],
  3: [
    'status',
    {
      1: ['observedGeneration', 'count'],
      2: ['replicas', 'count'],
      3: ['updatedReplicas', 'count'],
      4: ['availableReplicas', 'count'],
      5: ['unavailableReplicas', 'count'],
      6: ['conditions', ofDeployment, true],
      7: ['readyReplicas', 'count'],
    },
  ],
};
const job: Message = {
  1: ['metadata', metadata],
  2: [
    'spec',
    {
      1: ['parallelism', 'number'],
      2: ['completions', 'number'],
      3: ['activeDeadlineSeconds', 'number'],
      4: ['selector', selector],
      5: ['manualSelector', 'flag'],
      6: ['template', template],
      7: ['backoffLimit', 'number'],
      8: ['ttlSecondsAfterFinished', 'number'],
      9: ['completionMode', 'text'],
      10: ['suspend', 'flag'],
      14: ['podReplacementPolicy', 'text'],
    },
  ],
  3: [
    'status',
    {
      1: ['conditions', ofJob, true],
      2: ['startTime', 'time'],
      3: ['completionTime', 'time'],
      4: ['active', 'count'],
      5: ['succeeded', 'count'],
      6: ['failed', 'count'],
      8: ['uncountedTerminatedPods', {}],
      9: ['ready', 'number'],
      11: ['terminating', 'number'],
    },
  ],
};
const attributes: Message = {
  1: ['namespace', 'text'],
  2: ['verb', 'text'],
  3: ['group', 'text'],
  4: ['version', 'text'],
  5: ['resource', 'text'],
  6: ['subresource', 'text'],
  7: ['name', 'text'],
};

/** What is read of each kind. */
export const messages: Readonly<Record<string, Message>> = {
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'number'],
    2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
    4: ['propagationPolicy', 'text'],
    5: ['dryRun', 'text', true],
  },
  Deployment: deployment,
  Job: job,
  Namespace: {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['finalizers', 'text', true] }],
    3: ['status', { 1: ['phase', 'text'] }],
  },
  Scale: {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['replicas', 'count'] }],
    3: ['status', { 1: ['replicas', 'count'], 2: ['selector', 'text'] }],
  },
  SelfSubjectAccessReview: {
    1: ['metadata', metadata],
    2: [
      'spec',
      {
        1: ['resourceAttributes', attributes],
        2: ['nonResourceAttributes', { 1: ['path', 'text'], 2: ['verb', 'text'] }],
      },
    ],
  },
  SelfSubjectRulesReview: { 1: ['metadata', metadata], 2: ['spec', { 1: ['namespace', 'text'] }] },
  SelfSubjectReview: { 1: ['metadata', metadata] },
};
