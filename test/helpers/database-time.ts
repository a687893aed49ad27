import { OperationNodeTransformer, RawNode } from 'kysely';
import { databaseTime } from '../../src/push/database/clock.ts';
import type { Database } from '../../src/push/database/database.ts';

/** The database under another clock (Unix ms): every statement that asks for the time gets this one. */
export function withDatabaseTime(db: Database, now: () => number): Database {
  const [asked] = (databaseTime.toOperationNode() as RawNode).sqlFragments;
  let at = 0;
  class Clock extends OperationNodeTransformer {
    protected override transformRaw(node: RawNode): RawNode {
      return node.sqlFragments[0] === asked ? RawNode.createWithSql(`${at}`) : super.transformRaw(node);
    }
  }
  const clock = new Clock();
  return db.withPlugin({
    transformQuery({ node }) {
      at = now();
      return clock.transformNode(node);
    },
    transformResult: async ({ result }) => result,
  });
}
