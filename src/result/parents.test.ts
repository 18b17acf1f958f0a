import { describe, expect, it } from 'vitest';
import { runResult, stepResult } from '../../test/support/results.js';
import { decideExit } from './exit.js';
import { explainByParents, type Way } from './parents.js';
import type { HostResult } from './result.schema.js';

const trouble = { outcome: 'unreachable', reason: 'connect-timeout', summary: 'no answer' } as const;
const lost = { ...trouble, step: 'disk', attempts: 0 };

/** Hosts by name: `down` ones were not reached, with `outcome` as the whole where another step says more. */
function fleet(names: readonly string[]): readonly HostResult[] {
  return runResult(
    names.map((text) => {
      const [name = '', how] = text.split(':');
      if (how === undefined) return { name, steps: [stepResult()] };
      return { name, trouble, steps: [stepResult(lost)] };
    }),
  ).hosts;
}

function explain(names: readonly string[], ways: Readonly<Record<string, Partial<Way>>>) {
  const list = Object.entries(ways).map(([name, way]) => [name, { parents: [], hop: undefined, ...way }] as const);
  const hosts = explainByParents(fleet(names), new Map(list));
  return {
    hosts,
    told: Object.fromEntries(hosts.map(({ name, reason, summary }) => [name, reason && `${reason}: ${summary}`])),
    exit: decideExit(hosts, undefined),
  };
}

describe('hosts behind others', () => {
  it('are told by what they are behind, and count with it', () => {
    const { hosts, told, exit } = explain(['router:down', 'web1:down', 'web2:down', 'db'], {
      web1: { parents: ['router'] },
      web2: { parents: ['router'] },
      db: { parents: ['router'] },
    });

    expect(told).toEqual({
      router: 'connect-timeout: no answer',
      web1: 'parent-down: behind router, which is unreachable',
      web2: 'parent-down: behind router, which is unreachable',
      db: undefined,
    });
    expect(hosts[1]).toMatchObject({
      outcome: 'unreachable',
      behind: ['router'],
      steps: [{ outcome: 'unreachable', reason: 'parent-down' }],
    });
    expect(exit).toEqual({ code: 4, reasons: [{ code: 4, reason: 'unreachable', hosts: 1 }] });
  });

  it('name the first thing in the way', () => {
    const { told } = explain(['core:down', 'router:down', 'web:down'], {
      web: { parents: ['router'] },
      router: { parents: ['core'] },
    });

    expect(told.web).toBe('parent-down: behind core, which is unreachable');
  });

  it('are not explained while one of several parents answers, or was not asked', () => {
    expect(explain(['a:down', 'b', 'web:down'], { web: { parents: ['a', 'b'] } }).told.web).toBe(
      'connect-timeout: no answer',
    );
    expect(explain(['a:down', 'web:down'], { web: { parents: ['a', 'b'] } }).told.web).toBe(
      'connect-timeout: no answer',
    );
    expect(explain(['a:down', 'b:down', 'web:down'], { web: { parents: ['a', 'b'] } }).told.web).toBe(
      'parent-down: behind a and b, which are unreachable',
    );
  });

  it('count a jump host outside the run once', () => {
    const { told, exit } = explain(['web1:down', 'web2:down', 'ok'], {
      web1: { hop: 'bastion' },
      web2: { hop: 'bastion' },
    });

    expect(told.web2).toBe('parent-down: behind bastion, which is unreachable');
    expect(exit.reasons).toEqual([{ code: 4, reason: 'unreachable', hosts: 1 }]);
  });

  it('end with what an old journal says in a circle', () => {
    const { told } = explain(['a:down', 'b:down'], { a: { parents: ['b'] }, b: { parents: ['a'] } });

    expect(told.a).toBe('parent-down: behind b, which is unreachable');
  });
});
