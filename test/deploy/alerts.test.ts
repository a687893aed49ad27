import { join } from 'node:path';
import { expect, test } from 'vitest';
import { promtool, withoutPromtool } from '#test/promtool.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const withPromtool = test.skipIf(withoutPromtool !== '');

withPromtool(`the alerts fire when they should, and only then${withoutPromtool}`, () => {
  expect(promtool(deploy, 'test', 'rules', 'alerts.test.yaml')).toEqual({
    isContent: true,
    said: expect.stringContaining('SUCCESS'),
  });
});

withPromtool(`Prometheus takes the example of its settings, and the rules with it${withoutPromtool}`, () => {
  expect(promtool(deploy, 'check', 'config', 'prometheus.yaml').said).toMatch(/SUCCESS: 1 rule files found/);
});
