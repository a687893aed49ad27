import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { promtool, withoutPromtool } from '#test/promtool.ts';

const deploy = join(import.meta.dirname, '../../deploy');
/** It is a program of others, which evaluates days of series, on a machine that may be busy. */
const PROMTOOL_MS = 120_000;
const withPromtool = test.skipIf(withoutPromtool !== '');

withPromtool(
  `the alerts fire when they should, and only then${withoutPromtool}`,
  () => {
    expect(promtool(deploy, 'test', 'rules', 'alerts.test.yaml')).toEqual({
      isContent: true,
      said: expect.stringContaining('SUCCESS'),
    });
  },
  PROMTOOL_MS,
);

withPromtool(
  `they do so whatever the jobs are called${withoutPromtool}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'keypad-jobs-'));
    const renamed = (text: string): string =>
      text
        .replace('alerts.yaml', join(deploy, 'alerts.yaml'))
        .replace(/job="keypad-(\w+)"/g, 'job="production/$1-7f"');
    writeFileSync(
      join(directory, 'renamed.yaml'),
      renamed(readFileSync(join(deploy, 'alerts.test.yaml'), 'utf8')),
    );
    expect(promtool(directory, 'test', 'rules', 'renamed.yaml').said).toContain('SUCCESS');
    rmSync(directory, { recursive: true, force: true });
  },
  PROMTOOL_MS,
);

withPromtool(`Prometheus takes the example of its settings, and the rules with it${withoutPromtool}`, () => {
  expect(promtool(deploy, 'check', 'config', 'prometheus.yaml').said).toMatch(/SUCCESS: 1 rule files found/);
});
