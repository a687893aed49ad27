import type { FastifyInstance, FastifyReply } from 'fastify';
import { ApiFailure, badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import { type Kind, requireKind } from './object-kind.ts';
import { serveAt } from './serve.ts';

/** A question that a client may ask about itself. */
export interface Question extends Kind {
  readonly plural: string;
}

const authorization = { group: 'authorization.k8s.io', version: 'v1' } as const;
const authentication = { group: 'authentication.k8s.io', version: 'v1' } as const;

/** What `kubectl auth can-i`, `can-i --list` and `whoami` ask. */
export const questions: readonly Question[] = [
  { ...authorization, plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
  { ...authorization, plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
  { ...authentication, plural: 'selfsubjectreviews', kind: 'SelfSubjectReview' },
];

/** Answers them all: whoever has the token may do everything, and is the user `demo`. */
export function serveReviews(app: FastifyInstance): void {
  for (const question of questions) {
    const { group, version, plural, kind } = question;
    const apiVersion = `${group}/${version}`;
    const answer = async ({ body }: { readonly body: unknown }, reply: FastifyReply): Promise<unknown> => {
      requireKind(question, body);
      const spec = isRecord(body) && isRecord(body.spec) ? body.spec : {};
      const status = statusOf(kind, spec);
      reply.code(201);
      return { kind, apiVersion, metadata: {}, ...(group === authorization.group ? { spec } : {}), status };
    };
    serveAt(app, `/apis/${apiVersion}/${plural}`, { POST: answer });
  }
}

function statusOf(kind: string, spec: Readonly<Record<string, unknown>>): unknown {
  switch (kind) {
    case 'SelfSubjectAccessReview':
      requireOneAttribute(spec);
      return { allowed: true };
    case 'SelfSubjectRulesReview':
      if ((spec.namespace ?? '') === '') throw badRequest('no namespace on request');
      return {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      };
    default:
      return { userInfo: { username: 'demo', groups: ['system:authenticated'] } };
  }
}

function requireOneAttribute({
  resourceAttributes,
  nonResourceAttributes,
}: Readonly<Record<string, unknown>>): void {
  if (isRecord(resourceAttributes) !== isRecord(nonResourceAttributes)) return;
  const problem = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  throw new ApiFailure(
    422,
    'Invalid',
    `.authorization.k8s.io "" is invalid: spec.resourceAttributes: ${problem}`,
  );
}
