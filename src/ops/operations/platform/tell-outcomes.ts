import type { ReadVerb } from '../verb.ts';

/** Notes that the users of these operations have been told. */
export const tellOutcomes: ReadVerb<'outcomes.told'> = {
  async run({ outcomes }, { ids }) {
    await outcomes.told(ids);
    return {};
  },
};
