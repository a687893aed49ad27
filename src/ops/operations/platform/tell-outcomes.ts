import type { ReadOperation } from '../operation.ts';

/** Notes that the users of these operations have been told. */
export const tellOutcomes: ReadOperation<'outcomes.told'> = {
  async run({ outcomes }, { ids }) {
    await outcomes.told(ids);
    return {};
  },
};
