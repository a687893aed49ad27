import { folder } from '#menu';

export default folder({ title: 'Kubernetes' });
