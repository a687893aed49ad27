import { isRecord } from './json.ts';

/** Lists that are really maps, each with the member that names an item; every other list is one value. */
const keys: Readonly<Record<string, string>> = {
  addresses: 'type',
  conditions: 'type',
  containers: 'name',
  env: 'name',
  ephemeralContainers: 'name',
  hostAliases: 'ip',
  hostIPs: 'ip',
  imagePullSecrets: 'name',
  initContainers: 'name',
  ownerReferences: 'uid',
  podIPs: 'ip',
  ports: 'containerPort',
  resourceClaims: 'name',
  schedulingGates: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
  volumes: 'name',
};

/** The member that names an item of the list `field`; undefined when that list is one value. */
export function mergeKeyOf(field: string): string | undefined {
  return Object.hasOwn(keys, field) ? keys[field] : undefined;
}

/** Objects that are one value to the owners of fields. */
const atomic = new Set([
  'configMapKeyRef',
  'fieldRef',
  'labelSelector',
  'namespaceSelector',
  'nodeSelector',
  'resourceFieldRef',
  'scaleTargetRef',
  'secretKeyRef',
  'selector',
]);

/** Whether the object `field` has one owner, or none. */
export function isAtomic(field: string): boolean {
  return atomic.has(field);
}

/**
 * What names an item of the list `field` for the owners of fields, as JSON; undefined when that list, or the item, has
 * no name. They tell ports apart by their protocol too, which merging patches do not.
 */
export function itemNameOf(field: string, item: unknown): string | undefined {
  const key = mergeKeyOf(field);
  if (key === undefined || !isRecord(item) || !(key in item)) return undefined;
  const name = { [key]: item[key] };
  return JSON.stringify(field === 'ports' ? { ...name, protocol: item.protocol ?? 'TCP' } : name);
}
