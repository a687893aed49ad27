import { folder } from '#menu';

export default folder({ title: '主机' });
