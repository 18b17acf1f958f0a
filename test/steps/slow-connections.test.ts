import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';

/** In a network of its own: 10.9.9.1 answers half a second after it is first asked, 192.0.2.1 is nowhere. */
const network = `
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)"
ip link set lo up
ip link add far type veth peer name end
ip addr add 10.9.9.2/24 dev far
ip link set end up
ip link set far up
ip neigh add 10.9.9.1 lladdr 02:00:00:00:00:09 dev far nud permanent
"$2" -e 'require("http").createServer((q, a) => a.end("here")).listen(80, () => console.log("up"))' >"$1/server" &
server=$!
until grep -q up "$1/server"; do sleep 0.1; done
(
  # 02 is SYN_SENT.
  until grep -q ' 0109090A:0050 02 ' /proc/net/tcp; do sleep 0.1; done
  sleep 0.5
  ip addr add 10.9.9.1/32 dev lo
) &
waiting=$!
status=0
shift 2
"$@" || status=$?
kill "$server" "$waiting" 2>/dev/null || :
exit "$status"
`;

describeWith('a server with several addresses that is slow to connect', ['unshare', 'ip', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-far-'));
  writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n10.9.9.1 far.test\n192.0.2.1 far.test\n');
  // The name server is as far away, and nobody waits for it that long.
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 10.9.9.1\noptions timeout:2 attempts:1\n');
  writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const look = (kind: string, params: readonly string[], deadline: string) => {
    const bin = fileURLToPath(new URL('../../bin/opsctl.js', import.meta.url));
    const command = [process.execPath, bin, 'check', kind, ...params, '--deadline', deadline];
    return spawnSync('unshare', ['-mn', 'sh', '-euc', network, 'sh', folder, process.execPath, ...command], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder },
    });
  };

  it.each([
    ['tcp', ['--address', 'far.test', '--port', '80']],
    ['http', ['--url', 'http://far.test/']],
  ])('is not called dead by check.%s', (kind, params) => {
    const ran = look(kind, params, '25s');

    expect({ status: ran.status, said: ran.stdout + ran.stderr }).toEqual({
      status: 0,
      said: expect.stringMatching(/connects in|answers 200/),
    });
  });

  it.each([
    ['tcp', ['--address', 'nowhere.test', '--port', '80']],
    ['http', ['--url', 'http://nowhere.test/']],
    ['ntp', ['--address', 'nowhere.test']],
  ])('is not called dead by check.%s when the name server does not answer', (kind, params) => {
    const ran = look(kind, params, '1s');

    expect({ status: ran.status, said: ran.stdout + ran.stderr }).toEqual({
      status: 3,
      said: expect.stringContaining('the name server does not answer (resolver-failed)'),
    });
  });
});
