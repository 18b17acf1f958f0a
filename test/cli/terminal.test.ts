import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { installOpsctl, localInventory, oneStep } from './shell.js';

/** A person at a terminal of 80×24. */
class Screen {
  readonly #socket: string;

  constructor(project: Project, name: string, env = '') {
    this.#socket = `opsctl-cli-${process.pid}-${name}`;
    const shell = `cd ${project.folder} && exec env -i TERM=screen-256color PATH=${installOpsctl(project)} HOME=${project.folder} ${env} PS1='$ ' /bin/sh`;
    this.#tmux('new-session', '-d', '-x', '80', '-y', '24', shell);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  key(name: 'Enter' | 'C-c' | 'C-d'): void {
    this.#tmux('send-keys', name);
  }

  enter(text: string): void {
    this.type(text);
    this.key('Enter');
  }

  text(): string {
    return this.#tmux('capture-pane', '-p', '-S', '-200').trimEnd();
  }

  /** With the escape sequences of colours. */
  colors(): string {
    return this.#tmux('capture-pane', '-p', '-e', '-S', '-200');
  }

  async sees(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 300; attempt++) {
      const text = this.text();
      if (pattern.test(text)) return text;
      await sleep(100);
    }
    throw new Error(`never saw ${pattern}: ${this.text()}`);
  }

  close(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  }
}

describeWith('at a terminal', ['tmux'], () => {
  let project: Project;
  beforeAll(() => {
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
      'inventory.yaml': localInventory('web1'),
      'change.yaml': oneStep('touch changed', '', 'change').replace('touch changed', 'touch $HOME/changed'),
      'slow.yaml': oneStep('sleep 30'),
      'fail.yaml': oneStep('exit 3'),
    });
  });
  afterAll(() => project.remove());

  async function at(name: string, act: (screen: Screen) => Promise<void>, env = ''): Promise<void> {
    const screen = new Screen(project, name, env);
    try {
      await screen.sees(/\$/);
      await act(screen);
    } finally {
      screen.close();
    }
  }
  const isChanged = () => existsSync(join(project.folder, 'changed'));

  it('a change is asked for with the number of hosts; another number changes nothing', async () => {
    await at('wrong', async (screen) => {
      screen.enter('opsctl run change.yaml; echo "code $?"');
      await screen.sees(/type 1 to change this host/);
      screen.enter('2');
      const text = await screen.sees(/code \d/);

      expect(text).toContain('1 host, 100 % of');
      expect(text).toContain('opsctl: E_NOT_CONFIRMED not confirmed; nothing was changed');
      expect(text).toContain('code 5');
      expect(isChanged()).toBe(false);
    });
  });

  it.each([['C-c'], ['C-d']] as const)('%s at the question ends without a stack, exit 130', async (key) => {
    await at(key, async (screen) => {
      screen.enter('opsctl run change.yaml; echo "code $?"');
      await screen.sees(/type 1 to change this host/);
      screen.key(key);
      const text = await screen.sees(/code \d/);

      expect(text).toContain('opsctl: E_CANCELLED cancelled; nothing was started');
      expect(text).toContain('code 130');
      expect(text).not.toMatch(/at .*\.js/);
      expect(isChanged()).toBe(false);
      screen.enter('echo still here');
      await screen.sees(/^still here$/m);
    });
  });

  it('the right number starts the change', async () => {
    await at('right', async (screen) => {
      screen.enter('opsctl run change.yaml; echo "code $?"');
      await screen.sees(/type 1 to change this host/);
      screen.enter('1');
      const text = await screen.sees(/code \d/);

      expect(text).toContain('code 0');
      expect(text).toContain('changed');
    });
  });

  it('opsctl init asks for hosts, user and sudo, and writes what it was told', async () => {
    await at('init', async (screen) => {
      screen.enter('opsctl init asked; echo "code $?"');
      await screen.sees(/hosts, separated by spaces/);
      screen.enter('web1 web2, db1');
      await screen.sees(/login name/);
      screen.enter('ops');
      await screen.sees(/become root through sudo\?/);
      screen.enter('y');
      const text = await screen.sees(/code \d/);

      expect(text).toContain('wrote opsctl.yaml, inventory.yaml, known_hosts, runbooks/health.yaml');
      expect(text).toContain('code 0');
      expect(readFileSync(join(project.folder, 'asked/inventory.yaml'), 'utf8')).toContain(
        'defaults: { user: "ops", sudo: true }\ngroups:\n  servers:\n    hosts: ["web1","web2","db1"]\n',
      );
    });
  });

  it('Ctrl-C during a run stops it in order and gives the screen back', async () => {
    await at('stop', async (screen) => {
      screen.enter('opsctl run slow.yaml; echo "code $?"');
      await screen.sees(/sleep 30[\s\S]*\d s/);
      await sleep(1_000);
      screen.key('C-c');
      const text = await screen.sees(/code \d/);

      expect(text).toMatch(/opsctl: stopped by SIGINT; go on with `opsctl resume\s/);
      expect(text).toContain('code 130');
      expect(text).not.toMatch(/at .*\.js/);
      screen.enter('echo still here');
      await screen.sees(/^still here$/m);
    });
  });

  it('colours a failure, and nothing with NO_COLOR', async () => {
    const red = `${String.fromCharCode(27)}[31m`;
    await at('color', async (screen) => {
      screen.enter('opsctl run fail.yaml; echo "code $?"');
      await screen.sees(/code 1/);
      expect(screen.colors()).toMatch(/\[(?:1;)?31/);
    });
    await at(
      'plain',
      async (screen) => {
        screen.enter('opsctl run fail.yaml; echo "code $?"');
        await screen.sees(/code 1/);
        expect(screen.colors()).not.toContain(red);
        expect(screen.colors()).not.toMatch(/\[(?:1;)?3[1-6]m/);
      },
      'NO_COLOR=1',
    );
  });

  it('no line of a report is wider than the screen', async () => {
    await at('narrow', async (screen) => {
      screen.enter('opsctl run fail.yaml 2>/dev/null | cat > wide; opsctl run fail.yaml; echo "code $?"');
      const text = await screen.sees(/code 1/);

      for (const line of text.split('\n').filter((each) => !each.startsWith('$')))
        expect(line.length).toBeLessThanOrEqual(80);
      expect(text).toContain('FAILED');
    });
  });
});
