import * as z from 'zod';
import { change, instance, Refused, unit } from '#operations';
import { findQuery, killQuery, runningQuery } from './_running-query.ts';

/** Ends one running statement; its connection stays, and the statement fails with an error there. */
export default change({
  title: '终止查询',
  input: z.strictObject({ unit, instance, ...runningQuery }),

  async inspect(context, { unit, instance, id, query: fingerprint }) {
    const query = await findQuery(context.mysql(unit, instance), id, fingerprint);
    if (query === undefined) throw gone();
    const { user, database, seconds, sql } = query;
    return {
      target: `${instance}/${id}`,
      lines: [
        `${unit} · ${instance}`,
        `终止连接 ${id} 正在运行的查询`,
        `用户 ${user}，库 ${database || '（无）'}，已运行 ${seconds} 秒`,
        `语句 ${sql}`,
      ],
      risk: 'high',
      before: { user, database, seconds, sql },
      after: null,
      version: fingerprint,
    };
  },

  async apply(context, { input }, checkTime) {
    const server = context.mysql(input.unit, input.instance);
    if (!(await killQuery(server, input, checkTime))) throw gone();
  },

  submitted: ({ input: { id } }) => `已发出终止：连接 ${id} 的查询还在收尾，结束后会告诉你`,

  async observe(context, { input: { unit, instance, id, query } }) {
    const running = await findQuery(context.mysql(unit, instance), id, query);
    if (running === undefined) return { final: true, text: `已终止：${instance} 连接 ${id} 的查询不再运行` };
    return { final: false, text: `已发出终止，但 ${instance} 连接 ${id} 的查询还在运行，可能在回滚` };
  },

  async reconcile(context, { input: { unit, instance, id, query } }) {
    const running = await findQuery(context.mysql(unit, instance), id, query);
    if (running?.ending) return { effect: 'applied' };
    if (running !== undefined) return { effect: 'never' };
    return { effect: 'unknown', text: '查询已经不在运行，但无法确认是被终止的，还是自己结束的' };
  },
});

function gone(): Refused {
  return new Refused('missing', '这个查询已经结束，不用终止');
}
