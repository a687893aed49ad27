import * as z from 'zod';
import { service } from '../../contract/operation.ts';
import { ConfigError } from '../../errors.ts';
import type { Operation, ReadOperation } from '../operations/operation.ts';
import { type DeclaredParts, readDeclaration, readOr } from './declaration.ts';
import { type Expression, readExpression } from './expression.ts';
import { openCalls } from './http-call.ts';
import { httpChange } from './http-change.ts';
import { checkHeader, type RequestForm, readRequest, requestForm } from './http-request.ts';
import { schemaOf, type Values } from './inputs.ts';
import { createSecrets, secretsForm } from './secrets.ts';
import { createReader, type Findings } from './template.ts';

const request = z.strictObject(requestForm);
const form = z.strictObject({
  /** Of the policy: there its address is fixed. */
  service,
  ...requestForm,
  method: requestForm.method.unwrap(),
  secrets: secretsForm,
  /** What is shown of the JSON that is answered; without it the status alone. */
  show: z.string().optional(),
  seconds: z.int().min(1).max(10).default(5),
  /** What is changed, as the person reads it; the name of the service when it is left out. */
  target: z.string().min(1).max(100).optional(),
  /** The header that gets the id of the operation. */
  idempotency: z.string().optional(),
  preview: z
    .strictObject({
      request,
      show: z.string().optional(),
      what: z.string().max(40).default(''),
      before: z.string().optional(),
      after: z.string().optional(),
    })
    .refine(({ before, after }) => (before === undefined) === (after === undefined), {
      error: '`before` and `after` go together',
    })
    .refine(({ show, before }) => show !== undefined || before !== undefined, {
      error: 'shows nothing; write `show`, or `before` and `after`',
    })
    .optional(),
  check: z.strictObject({ request, applied: z.string(), never: z.string().optional() }).optional(),
});

/**
 * Reads the declaration of a request to a service of the policy: a read, or a change with what finds out about it before
 * and after. Throws a ConfigError of every problem.
 */
export function readHttp(text: string, { environment }: DeclaredParts): Operation {
  const { title, risk, input, own, ...rest } = readDeclaration(text, 'http', form);
  const findings: Findings = { problems: [], used: new Set() };
  const { problems, used } = findings;
  const secretNames = Object.keys(own.secrets);
  const asked = { values: ['unit', ...Object.keys(input)], secrets: secretNames };
  const confirmed = { ...asked, values: [...asked.values, 'id'] };
  const expression = (at: string, text: string): Expression =>
    readOr(() => readExpression(text), at, problems) ?? (() => undefined);
  const optional = (at: string, text: string | undefined) =>
    text === undefined ? undefined : expression(at, text);
  const template = (at: string, text: string) => createReader(asked, findings)(at, text, asked.values);
  /** What a look sends besides its own headers: those of the request itself. */
  const look = ({ headers, ...others }: RequestForm): RequestForm => ({
    ...others,
    headers: { ...own.headers, ...headers },
  });

  const secrets = createSecrets(own.secrets, environment ?? {});
  if (environment !== undefined) readOr(secrets, 'http.secrets', problems);
  const show = optional('http.show', own.show);
  const main = readRequest(own, risk === 'read' ? asked : confirmed, 'http', findings);
  const parts = { service: own.service, secrets };
  const { seconds, target, idempotency, preview, check } = own;
  const read = (): ReadOperation<Values, string[]> => {
    if (target ?? idempotency ?? preview ?? check)
      problems.push('http: target, idempotency, preview and check are for what changes something');
    if (!/^(GET|POST)$/.test(own.method))
      problems.push(`http.method: ${own.method} changes something; write the risk low or high`);
    return {
      kind: 'read',
      title,
      input: schemaOf(input),
      output: z.array(z.string()),
      async run(context, values) {
        const calls = openCalls(context, `${values.unit}`, parts);
        const answer = await calls.send({ write: main, values, seconds, isLook: true });
        return show === undefined ? [`服务 ${own.service}：成功（${answer.status}）`] : answer.lines(show);
      },
    };
  };
  const changes = () => {
    if (idempotency !== undefined) checkHeader(idempotency, '', 'http.idempotency', findings);
    if (Object.keys(own.headers).some((name) => name.toLowerCase() === idempotency?.toLowerCase()))
      problems.push('http.idempotency: stands in headers too; take it out there');
    return httpChange({
      ...parts,
      ...{ title, risk: risk as 'low' | 'high', input, request: main, seconds, show, idempotency },
      target: template('http.target', target ?? own.service),
      preview: preview && {
        request: readRequest(look(preview.request), asked, 'http.preview.request', findings),
        show: optional('http.preview.show', preview.show),
        difference:
          preview.before === undefined || preview.after === undefined
            ? undefined
            : {
                what: preview.what && `${preview.what} `,
                before: expression('http.preview.before', preview.before),
                after: template('http.preview.after', preview.after),
              },
      },
      check: check && {
        request: readRequest(look(check.request), confirmed, 'http.check.request', findings),
        applied: expression('http.check.applied', check.applied),
        never: optional('http.check.never', check.never),
      },
    });
  };
  const operation = risk === 'read' ? read() : changes();
  for (const name of secretNames) if (!used.has(name)) problems.push(`http.secrets.${name}: is used nowhere`);
  for (const name of Object.keys(input)) if (!used.has(name)) problems.push(`input.${name}: is used nowhere`);
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...rest, services: [own.service], ...operation } as Operation;
}
