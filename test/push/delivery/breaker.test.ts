import { beforeEach, expect, test } from 'vitest';
import { type Breaker, type BreakerState, createBreaker } from '../../../src/push/accounts/breaker.ts';

let time = 0;
let changes: BreakerState[] = [];
let breaker: Breaker;
beforeEach(() => {
  time = 1_000_000;
  changes = [];
  breaker = createBreaker({ now: () => time, onChange: (state) => changes.push(state) });
});

function tell(result: 'good' | 'bad', times = 1): void {
  for (let i = 0; i < times; i += 1) breaker.record(result);
}

test('it opens after five bad results in a row, and not after four', () => {
  for (const _ of [1, 2, 3]) {
    tell('bad', 4);
    tell('good', 7);
  }
  expect(breaker.state()).toBe('closed');
  tell('bad', 5);
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1000 });
  expect(changes).toEqual(['open']);
});

test('it opens when half of the last twenty are bad, and not before there are twenty', () => {
  for (let i = 0; i < 9; i += 1) {
    tell('bad');
    tell('good');
  }
  tell('good');
  expect(breaker.state()).toBe('closed');
  tell('bad');
  expect(breaker.state()).toBe('open');
});

test('before there are twenty, only bad ones in a row count', () => {
  for (const _ of [1, 2, 3]) {
    tell('bad', 4);
    tell('good');
  }
  tell('good', 4);
  expect(breaker.state()).toBe('closed');
  tell('good');
  expect(breaker.state()).toBe('open');
});

test('old results are forgotten: only the last twenty count', () => {
  tell('bad', 4);
  tell('good', 16);
  for (const _ of [1, 2, 3]) {
    tell('bad', 2);
    tell('good', 2);
  }
  expect(breaker.state()).toBe('closed');
});

test('after its time exactly one may try, until told', () => {
  tell('bad', 5);
  time += 999;
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1 });
  time += 1;
  expect(breaker.state()).toBe('half-open');
  expect(breaker.ask()).toEqual({ isOpen: false });
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1000 });
  tell('good');
  expect(breaker.ask()).toEqual({ isOpen: false });
  expect(breaker.ask()).toEqual({ isOpen: false });
  expect(changes).toEqual(['open', 'half-open', 'closed']);
});

test('each try that fails doubles the time up to 30 s, and a good one begins anew', () => {
  tell('bad', 5);
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    expect(breaker.ask()).toEqual({ isOpen: true, at: time + seconds * 1000 });
    time += seconds * 1000;
    expect(breaker.ask()).toEqual({ isOpen: false });
    tell(seconds === 30 && changes.length > 12 ? 'good' : 'bad');
  }
  expect(breaker.state()).toBe('closed');
  tell('bad', 5);
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1000 });
});

test('results of calls from before it opened neither close it nor keep it open longer', () => {
  tell('bad', 5);
  tell('good');
  tell('bad', 10);
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1000 });
  expect(changes).toEqual(['open']);
});

test('a try that nobody tells of is given to another after half a minute', () => {
  tell('bad', 5);
  time += 1000;
  expect(breaker.ask()).toEqual({ isOpen: false });
  time += 29_999;
  expect(breaker.ask()).toEqual({ isOpen: true, at: time + 1 });
  time += 1;
  expect(breaker.ask()).toEqual({ isOpen: false });
});
