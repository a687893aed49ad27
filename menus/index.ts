import { choice, folder } from '#menu';

/** The first screen asks which business unit; all below is scoped by the answer. */
export default folder({
  title: '请选择事业部',
  ask: { unit: choice('请选择事业部', ({ ops }) => ops.call('units.list', {})) },
});
