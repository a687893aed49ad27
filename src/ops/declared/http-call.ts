import { InputError } from '../../errors.ts';
import type { Context } from '../operations/operation.ts';
import type { Service, ServiceRequest } from '../targets/service.ts';
import { type Expression, linesOf } from './expression.ts';
import type { WriteRequest } from './http-request.ts';
import type { Values } from './inputs.ts';
import { type SecretValues, withoutSecrets } from './secrets.ts';

/** What the requests of a declaration are sent with. */
export interface CallParts {
  readonly service: string;
  /** Reads the secrets anew. Throws an InputError. */
  readonly secrets: () => SecretValues;
}

/** One request of a declaration, filled in. */
export interface Call extends Pick<ServiceRequest, 'isLook' | 'expects'> {
  readonly write: WriteRequest;
  readonly values: Values;
  readonly seconds: number;
  /** More than the declaration says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Opens the service of the unit. Throws Refused where the unit does not reach it, and TargetFailed where a secret cannot
 * be read any more: nothing was sent then.
 */
export function openCalls(context: Context, unit: string, parts: CallParts) {
  const service = context.http(unit, parts.service);
  const secrets = read(parts, service);
  return {
    /** Sends it once. Throws as a service does (targets/service.ts). */
    async send({ write, values, seconds, headers, isLook = false, expects }: Call) {
      const request = write(values, secrets);
      const { status, text } = await service.send({
        ...request,
        headers: { ...request.headers, ...headers },
        expects: expects ?? request.expects,
        timeoutMs: seconds * 1000,
        isLook,
      });
      /** Throws TargetFailed for what is no JSON, or not of the form that the expression asks for. */
      const find = (expression: Expression): unknown => {
        try {
          return expression(JSON.parse(text));
        } catch (error) {
          // The parser's own error would quote the answer.
          const cause = error instanceof InputError ? error : new Error('the answer is no JSON');
          throw service.failed('的回答看不懂', { mayHaveHappened: !isLook, cause });
        }
      };
      return {
        status,
        /** What is found, a line each, without the secrets, which a service may repeat. */
        lines: (expression: Expression): string[] =>
          linesOf(find(expression)).map((line) => withoutSecrets(line, secrets)),
        isTrue: (expression: Expression): boolean => find(expression) === true,
      };
    },
  };
}

function read({ secrets }: CallParts, service: Service): SecretValues {
  try {
    return secrets();
  } catch (cause) {
    throw service.failed('的密钥平台读不到，请联系运维负责人', { mayHaveHappened: false, cause });
  }
}
