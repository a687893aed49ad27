// Written by `npm run menu -- --types` from the operations of the platform; do not change it by hand.
import '#menu';

declare module '#menu' {
  interface Reads {
    /** 我的权限 */
    me: { readonly input: Record<never, never>; readonly output: Record<string, Array<string>> };
    /** 事业部 */
    'units.list': { readonly input: Record<never, never>; readonly output: Array<string> };
    /** 查看部署 */
    'k8s.deployments.list': {
      readonly input: { unit: string };
      readonly output: Array<{
        key: string;
        label: string;
        namespace: string;
        name: string;
        replicas: number;
        ready: number;
        image: string;
      }>;
    };
    /** 运行中的任务 */
    'k8s.jobs.list': {
      readonly input: { unit: string };
      readonly output: Array<{ key: string; label: string; namespace: string; name: string; age: number }>;
    };
    /** Pod 列表 */
    'k8s.pods.list': {
      readonly input: { unit: string; namespace: string; name: string };
      readonly output: Array<{
        name: string;
        phase: string;
        ready: boolean;
        readyContainers?: number;
        containers?: number;
        restarts: number;
        age: number;
        node: string;
      }>;
    };
    /** 当前连接 */
    'mysql.processlist': {
      readonly input: { unit: string };
      readonly output: Array<{
        key: string;
        label: string;
        name: string;
        instance: string;
        id: string;
        query: string;
        user: string;
        database: string;
        seconds: number;
        sql: string;
      }>;
    };
    /** 缓存列表 */
    'app.cache.list': { readonly input: { unit: string }; readonly output: Array<string> };
    /** 订单统计 */
    'app.orders': {
      readonly input: { unit: string; state: 'paid' | 'waiting' | 'refunded'; days: number };
      readonly output: Array<string>;
    };
    /** 磁盘 */
    'host.disk': { readonly input: { unit: string }; readonly output: Array<string> };
    /** 库大小 */
    'mysql.sizes': { readonly input: { unit: string }; readonly output: Array<string> };
  }
  interface Changes {
    /** 取消任务 */
    'k8s.jobs.cancel': { readonly input: { unit: string; namespace: string; name: string } };
    /** 重启部署 */
    'k8s.restart': { readonly input: { unit: string; namespace: string; name: string } };
    /** 扩缩容 */
    'k8s.scale': { readonly input: { unit: string; namespace: string; name: string; replicas: number } };
    /** 终止查询 */
    'mysql.kill': { readonly input: { unit: string; instance: string; id: string; query: string } };
    /** 清空缓存 */
    'app.cache.flush': { readonly input: { unit: string; cache: 'goods' | 'price' | 'page-home' } };
    /** 生成报表 */
    'app.report': { readonly input: { unit: string; month: string; seconds: number } };
    /** 轮换日志 */
    'host.rotate': { readonly input: { unit: string; name: string; keep: number; seconds: number } };
  }
}
