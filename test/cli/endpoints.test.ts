import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintIn } from '../../src/steps/check/ssh/host-keys.js';
import { makeCertificate } from '../support/certificates.js';
import { describeWith } from '../support/needs.js';
import { makeProject } from '../support/opsctl.js';
import { type Sshd, startSshd } from '../support/sshd.js';

describeWith('endpoints that prove themselves', ['sshd', 'openssl', 'root'], () => {
  const project = makeProject({ 'inventory.yaml': 'hosts: { me: { transport: local } }\n' });
  const server = makeCertificate();
  const client = makeCertificate();
  const web = createServer(
    { key: server.key, cert: server.cert, ca: client.cert, requestCert: true, rejectUnauthorized: true },
    (_, response) => response.end('{"state": "up"}'),
  );
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
  });
  afterAll(async () => {
    web.close();
    await sshd.stop();
    for (const one of [server, client, project]) one.remove();
  });

  it('takes the key of a client certificate from a secret and shows it nowhere', async () => {
    const { port } = web.address() as AddressInfo;
    const params = {
      url: `https://127.0.0.1:${port}/`,
      ca: server.certFile,
      certificate: client.certFile,
      key: { secret: 'env:MONITOR_KEY' },
      json: [{ at: 'state', equals: 'up' }],
    };
    project.write(
      'web.yaml',
      JSON.stringify({ name: 'web', steps: [{ id: 'web', uses: 'check.http', with: params }] }),
    );
    const env = { MONITOR_KEY: client.key.toString() };
    const { code, stdout, stderr } = await project.run(['run', 'web.yaml', '-i', 'inventory.yaml', '-o', 'json'], {
      env,
    });

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const [, secret = ''] = client.key.toString().split('\n');
    expect(secret.length).toBeGreaterThan(20);
    expect(`${stdout}${stderr}`).not.toContain(secret);
  });

  it('compares the host key that a server shows', async () => {
    const keys = (key: string) => ({ address: '127.0.0.1', port: sshd.port, 'host-key': key });
    const right = fingerprintIn(sshd.hostKeys[0] ?? '') ?? '';
    const step = (id: string, key: string) => ({ id, uses: 'check.ssh', with: keys(key) });
    const steps = [step('right', right), step('wrong', `SHA256:${'A'.repeat(43)}`)];
    project.write('ssh.yaml', JSON.stringify({ name: 'ssh', steps }));
    const { code, json } = await project.run(['run', 'ssh.yaml', '-i', 'inventory.yaml', '-o', 'json']);

    expect(code).toBe(1);
    expect(json().hosts[0]?.steps).toMatchObject([
      { step: 'right', outcome: 'ok' },
      { step: 'wrong', outcome: 'failed', reason: 'host-key-mismatch', summary: expect.stringContaining(right) },
    ]);
  });
});
