import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const judge = (said: string, state = 'loaded') => judgeOutput(kind, `${said}\n`, { name: 'br_netfilter', state });
const loaded = (state: string) => `loaded\tbr_netfilter 32768 0 - ${state} 0x0000000000000000`;

describe('check.kernel-module', () => {
  it('wants a module to be loaded, or part of the kernel', () => {
    expect(judge(loaded('Live'))).toMatchObject({ outcome: 'ok', summary: 'module br_netfilter is loaded' });
    expect(judge('builtin\t')).toMatchObject({ outcome: 'ok', summary: 'module br_netfilter is part of the kernel' });
    expect(judge(loaded('Loading'))).toMatchObject({ outcome: 'failed', reason: 'module-changing' });
    expect(judge('absent\t')).toMatchObject({
      outcome: 'failed',
      reason: 'module-absent',
      summary: 'module br_netfilter is not loaded, should be loaded',
    });
  });

  it('wants a module not to be there', () => {
    expect(judge('absent\t', 'absent').outcome).toBe('ok');
    expect(judge(loaded('Live'), 'absent')).toMatchObject({ outcome: 'failed', reason: 'module-loaded' });
    expect(judge('builtin\t', 'absent').reason).toBe('module-builtin');
  });

  it('asks for the name as the kernel writes it', () => {
    expect(kind.args(withDefaults(kind, { name: 'usb-storage' }))).toEqual(['usb_storage']);
  });

  it.each(['', 'x\ty'])('does not take %j for a state', (said) => {
    expect(() => judge(said)).toThrow('the state of the module is missing');
  });

  it.each(Object.keys(shells))('finds what is part of the kernel of this machine with %s', (shell) => {
    const output = runProbe(kind, { name: 'printk' }, shell);

    expect(judgeOutput(kind, output, { name: 'printk' }).summary).toBe('module printk is part of the kernel');
    expect([0, 69]).toContain(runProbe(kind, { name: 'no_such_module' }, shell).exitStatus);
  });
});
