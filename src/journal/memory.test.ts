import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMemory } from './memory.js';

const newFolder = () => join(mkdtempSync(join(tmpdir(), 'opsctl-memory-')), 'hosts');
const sample = (at: number, used: number) => ({ sample: { at, values: { used } } });

describe('what steps remember', () => {
  it('is there in the next run, oldest first', () => {
    const folder = newFolder();
    for (const [at, used] of [
      [100, 1],
      [200, 2],
    ] as const) {
      const memory = openMemory(folder);
      memory.add('web1', 'disk', { ...sample(at, used), keep: { mark: used } });
      expect(memory.commit()).toEqual([]);
    }

    expect(openMemory(folder).of('web1', 'disk')).toEqual({
      kept: { mark: 2 },
      samples: [
        { at: 100, values: { used: 1 } },
        { at: 200, values: { used: 2 } },
      ],
    });
    expect(openMemory(folder).of('web1', 'other')).toEqual({ samples: [] });
    expect(openMemory(folder).of('web2', 'disk')).toEqual({ samples: [] });
  });

  it('is a warning, not an end, where its folder cannot be made', () => {
    const file = newFolder();
    writeFileSync(file, '');
    const memory = openMemory(join(file, 'hosts'));
    memory.add('web1', 'disk', sample(1, 1));

    expect(memory.commit()).toEqual([expect.stringMatching(/^what the hosts showed is not remembered: ENOTDIR: /)]);
  });

  it('is not on the disk before the run has its result', () => {
    const folder = newFolder();
    openMemory(folder).add('web1', 'disk', sample(1, 1));

    expect(openMemory(folder).of('web1', 'disk').samples).toEqual([]);
  });

  it('keeps a mark that the last run had no new one for', () => {
    const folder = newFolder();
    const first = openMemory(folder);
    first.add('web1', 'log', { ...sample(1, 1), keep: 'here' });
    first.commit();
    const second = openMemory(folder);
    second.add('web1', 'log', sample(2, 1));
    second.commit();

    expect(openMemory(folder).of('web1', 'log').kept).toBe('here');
  });

  it('loses nothing when two runs of one runbook end one after the other', () => {
    const folder = newFolder();
    const [one, other] = [openMemory(folder), openMemory(folder)];
    one.of('web1', 'disk');
    other.of('web1', 'disk');
    one.add('web1', 'disk', sample(1, 1));
    other.add('web1', 'load', sample(2, 2));
    one.commit();
    other.commit();

    expect(openMemory(folder).of('web1', 'disk').samples).toHaveLength(1);
    expect(openMemory(folder).of('web1', 'load').samples).toHaveLength(1);
  });

  it('stays small: the past is thinned out, and its beginning stays', () => {
    const folder = newFolder();
    for (let at = 1; at <= 1_000; at++) {
      const memory = openMemory(folder);
      memory.add('web1', 'disk', sample(at, at));
      memory.commit();
    }

    const times = openMemory(folder)
      .of('web1', 'disk')
      .samples.map(({ at }) => at);
    expect(times.length).toBeLessThanOrEqual(400);
    expect(times[0]).toBe(1);
    expect(times.slice(-100)).toEqual(Array.from({ length: 100 }, (_, index) => 901 + index));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('is for nobody else to read, in a file in the folder whatever the host is called', () => {
    const folder = newFolder();
    const memory = openMemory(folder);
    memory.add('a/../b', 'disk', sample(1, 1));
    memory.commit();

    expect(readdirSync(folder)).toEqual(['a%2F..%2Fb.json']);
    expect(statSync(join(folder, 'a%2F..%2Fb.json')).mode & 0o777).toBe(0o600);
  });

  it.each([
    '',
    '{"format":',
    'null',
    '{"format":"opsctl.memory/1"}',
    '{"format":"opsctl.memory/1","steps":{"disk":null}}',
    '{"format":"opsctl.memory/1","steps":{"disk":{}}}',
    '{"format":"opsctl.memory/1","steps":{"disk":{"samples":[5]}}}',
    '{"format":"opsctl.memory/1","steps":{"disk":{"samples":[[1,{"used":null}]]}}}',
  ])('says that a file is damaged, and begins anew: %j', (text) => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, 'web1.json'), text);
    const memory = openMemory(folder);
    memory.add('web1', 'disk', sample(1, 1));

    expect(memory.of('web1', 'disk')).toEqual({ samples: [], isLost: true });
    expect(memory.commit()).toEqual([
      expect.stringMatching(/^what web1 showed in earlier runs is lost: .* is damaged$/),
    ]);
    expect(openMemory(folder).of('web1', 'disk').samples).toHaveLength(1);
    expect(memory.commit()).toEqual([]);
  });

  it('leaves a file of another version as it is', () => {
    const folder = newFolder();
    mkdirSync(folder);
    const text = '{"format":"opsctl.memory/2","steps":[]}';
    writeFileSync(join(folder, 'web1.json'), text);
    const memory = openMemory(folder);
    memory.add('web1', 'disk', sample(1, 1));

    expect(memory.of('web1', 'disk')).toEqual({ samples: [], isLost: true });
    expect(memory.commit()).toEqual([
      expect.stringContaining('web1.json has format opsctl.memory/2; this opsctl reads'),
    ]);
    expect(readFileSync(join(folder, 'web1.json'), 'utf8')).toBe(text);
  });

  it('forgets hosts of long ago, and what a process that was killed left', () => {
    const folder = newFolder();
    mkdirSync(folder);
    const days = (age: number, name: string) => {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), new Date(), new Date(Date.now() - age * 86_400_000));
    };
    days(401, 'gone.json');
    days(399, 'away.json');
    days(2, 'web1.json.0a1b2c3d');
    days(0, 'web2.json.0a1b2c3d');
    const memory = openMemory(folder);
    memory.add('web1', 'disk', sample(1, 1));

    expect(memory.commit()).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['away.json', 'web1.json', 'web2.json.0a1b2c3d']);
  });

  it('forgets what was measured in another unit', () => {
    const folder = newFolder();
    for (const [at, unit] of [
      [1, 'bytes'],
      [2, 'ratio'],
    ] as const) {
      const memory = openMemory(folder);
      memory.add('web1', 'disk', {
        sample: { at, values: { used: at, load: at }, units: { used: unit, load: 'count' } },
      });
      memory.commit();
    }

    expect(openMemory(folder).of('web1', 'disk').samples).toMatchObject([
      { values: { load: 1 } },
      { values: { load: 2, used: 2 }, units: { used: 'ratio', load: 'count' } },
    ]);
    expect(openMemory(folder).of('web1', 'disk').samples[0]?.values).not.toHaveProperty('used');
  });

  it('is not broken by a number that JSON has not', () => {
    const folder = newFolder();
    const memory = openMemory(folder);
    memory.add('web1', 'disk', { sample: { at: 1, values: { used: Number.POSITIVE_INFINITY, free: 1 } } });
    memory.commit();

    expect(openMemory(folder).of('web1', 'disk').samples).toEqual([{ at: 1, values: { free: 1 } }]);
  });

  it('says what could not be written', () => {
    const folder = newFolder();
    writeFileSync(join(folder, '..', 'plain'), '');
    const memory = openMemory(folder);
    memory.add('x'.repeat(300), 'disk', sample(1, 1));

    expect(memory.commit()).toEqual([expect.stringContaining('is not remembered')]);
  });
});
