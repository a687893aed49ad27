import { folder } from '#menu';

export default folder({ title: '应用' });
