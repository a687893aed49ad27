import { describe, expect, test } from 'vitest';
import { arrows, floors, folderOf } from './arrows.ts';
import { loadFiles, readImports } from './sources.ts';

const page = loadFiles('ARCHITECTURE.md')[0]?.text ?? '';

/** The rows of the table under this heading of the page, cells without their backticks. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const table = page.split(heading)[1]?.match(/(?:^\|.*\n)+/m)?.[0] ?? '';
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

/** What any room may import, so that the picture does not draw it. */
const FOR_ALL: readonly string[] = ['errors', 'plain-text'];

/** The room that an entry of the table of arrows stands for; undefined for packages, and for what is for all. */
function roomOf(target: string): string | undefined {
  const room = target === '#menu' ? 'menu' : target.startsWith('src/') ? folderOf(target) : target;
  return Object.hasOwn(arrows, room) && !FOR_ALL.includes(room) ? room : undefined;
}

/** What the picture has to draw, in its own form: solid for any file, dotted for types or for single files. */
function arrowsToDraw(): readonly string[] {
  const found = new Set<string>();
  for (const [from, { any, types = [], in: single = {} }] of Object.entries(arrows)) {
    const whole = any.filter((target) => !target.startsWith('src/')).map(roomOf);
    const partial = [...any, ...types, ...Object.keys(single)].map(roomOf);
    for (const to of whole) if (to !== undefined) found.add(`${from} --> ${to}`);
    for (const to of partial) if (to !== undefined && !whole.includes(to)) found.add(`${from} -.-> ${to}`);
  }
  return [...found].sort();
}

describe('ARCHITECTURE.md', () => {
  test('draws the arrows of the table in test/house/arrows.ts, all of them and no other', () => {
    const picture = /```mermaid\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const drawn = [...picture.matchAll(/^ {2}(\w+ -(?:-|\.-)> \w+)$/gm)].map(([, arrow = '']) => arrow);
    expect(drawn.toSorted()).toEqual(arrowsToDraw());
  });

  test('lists the rooms of the table', () => {
    const rooms = rowsUnder('## Rooms').map(([room]) => room);
    expect(rooms.toSorted()).toEqual(Object.keys(arrows).sort());
  });

  test('lists the inner folders of rooms from the bottom up', () => {
    const listed = rowsUnder('Inside a room').map(([room, folders]) => [`src/${room}`, folders]);
    const wanted = Object.entries(floors).map(([room, groups]) => [
      room,
      groups.map((group) => group.join(', ')).join(' \\| '),
    ]);
    expect(listed).toEqual(wanted);
  });
});

test('every arrow between rooms is one that some file goes along', () => {
  const files = [...loadFiles('src/**/*.ts'), ...loadFiles('menus/**/*.ts')];
  const gone = new Set(
    files.flatMap((file) =>
      readImports(file).map(({ target }) => `${folderOf(file.path)} ${roomOf(target)}`),
    ),
  );
  const unused = arrowsToDraw().filter((arrow) => !gone.has(arrow.replace(/ -.*> /, ' ')));
  expect(unused).toEqual([]);
});
