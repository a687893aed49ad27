import { action } from '#menu';
import root from '../index.ts';

export default action(root, { runs: 'host.disk' });
