import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { loadFiles, root } from './house/sources.ts';
import { startsRoles } from './projects.ts';

/**
 * Within a project the files that start roles come first, since they take longest: while they wait, others have the processor,
 * and none is left for the end, when the other workers have nothing to do any more. Else the order is Vitest's: first
 * what took longest before or, in a fresh clone, what is largest.
 */
export class RolesFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(specifications);
    const paths = loadFiles('test/**/*.test.ts').filter(startsRoles);
    const starting = new Set(paths.map(({ path }) => path));
    const isFirst = ({ moduleId }: TestSpecification) => starting.has(relative(root, moduleId));
    const projects = Map.groupBy(sorted, ({ project }) => project.name);
    return [...projects.values()].flatMap((all) => [
      ...all.filter(isFirst),
      ...all.filter((each) => !isFirst(each)),
    ]);
  }
}
