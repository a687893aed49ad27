import type { FastifyInstance } from 'fastify';
import { isRecord } from './json.ts';

/** The groups of questions that a client may ask about itself, as discovery names them. */
const questions = {
  'authorization.k8s.io': { selfsubjectaccessreviews: 'SelfSubjectAccessReview' },
  'authentication.k8s.io': { selfsubjectreviews: 'SelfSubjectReview' },
} as const;

/** Whoever has the token may do everything, and is this user. */
const answers = {
  SelfSubjectAccessReview: { allowed: true },
  SelfSubjectReview: { userInfo: { username: 'demo', groups: ['system:authenticated'] } },
};

/** Answers `kubectl auth can-i` and `kubectl auth whoami`. */
export function serveReviews(app: FastifyInstance): void {
  for (const [group, kinds] of Object.entries(questions)) {
    const apiVersion = `${group}/v1`;
    const described = Object.entries(kinds).map(([name, kind]) => {
      return { name, singularName: name.slice(0, -1), namespaced: false, kind, verbs: ['create'] };
    });
    const list = {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: apiVersion,
      resources: described,
    };
    app.get(`/apis/${apiVersion}`, async () => list);
    for (const { name, kind } of described) {
      app.post(`/apis/${apiVersion}/${name}`, async ({ body }, reply) => {
        const spec = isRecord(body) ? body.spec : undefined;
        reply.code(201);
        return {
          kind,
          apiVersion,
          metadata: {},
          ...(spec === undefined ? {} : { spec }),
          status: answers[kind as keyof typeof answers],
        };
      });
    }
  }
}
