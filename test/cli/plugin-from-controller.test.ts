import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';
import { servers } from '../support/servers.js';

describeWith('check.plugin from the controller', ['check_dummy'], () => {
  const own = servers();
  const server = createServer((socket) => socket.end());
  let project: Project;
  beforeAll(async () => {
    const port = await own.freePort();
    const closed = await own.freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.2', resolve));
    // No sshd is at either address: whatever asks the hosts themselves ends as unreachable.
    project = makeProject({
      'inventory.yaml': `defaults: { port: ${closed} }
hosts:
  up: { address: 127.0.0.2 }
  down: { address: 127.0.0.3 }
`,
    });
    chmodSync(project.write('plugin.sh', '#!/bin/sh\necho "OK $1 $WORD | a=1"\n'), 0o755);
    project.write(
      'r.yaml',
      `name: Plugins
hosts: all
steps:
  - id: tcp
    uses: check.plugin
    with: { command: [check_tcp, -H, "\${{ host.address }}", -p, "${port}"] }
    from: controller
  - id: own
    uses: check.plugin
    with: { command: ["${project.folder}/plugin.sh", "\${{ host.name }}"], env: { WORD: here } }
    from: controller
`,
    );
  });
  afterAll(async () => {
    server.close();
    await own.stop();
    project.remove();
  });

  it('runs once for each host, on this machine, and asks nothing of the host', async () => {
    const ended = await project.run(['run', 'r.yaml', '-i', 'inventory.yaml', '-o', 'json']);
    const result = ended.json();

    expect(ended.code).toBe(1);
    expect(stepOf(result, 'up', 'tcp')).toMatchObject({ outcome: 'ok', metrics: [{ name: 'time', unit: 'seconds' }] });
    expect(stepOf(result, 'down', 'tcp')).toMatchObject({ outcome: 'failed', reason: 'plugin-critical' });
    expect(stepOf(result, 'up', 'own').summary).toBe('OK up here');
    expect(stepOf(result, 'down', 'own').summary).toBe('OK down here');
  });
});
