import { operation } from '#menu';
import root from '../index.ts';

export default operation(root, { runs: 'host.rotate' });
