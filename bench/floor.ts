/**
 * The floor: what a plain ssh2 script costs that does the same and has no framework around it. One connection and one
 * `sh -s` a host, no delay on the socket, the key parsed once, 100 hosts in flight, 8 handshakes at once.
 * floor.js HOSTS-FILE(address:port a line) USER KEY HOST-KEY.pub SCRIPT
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { Client, type ParsedKey, utils } from 'ssh2';

const [hostsFile = '', username = '', keyFile = '', hostKeyFile = '', scriptFile = ''] = process.argv.slice(2);
const key = parsedKey(keyFile);
const expected = Buffer.from(readFileSync(hostKeyFile, 'utf8').split(' ')[1] ?? '', 'base64');
const script = readFileSync(scriptFile);

function parsedKey(file: string): ParsedKey {
  const parsed = utils.parseKey(readFileSync(file));
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

let handshakes = 0;
const waiting: (() => void)[] = [];

async function enterHandshake(): Promise<void> {
  if (handshakes >= 8) await new Promise<void>((resolve) => waiting.push(resolve));
  handshakes++;
}

function leaveHandshake(): void {
  handshakes--;
  waiting.shift()?.();
}

async function runOn(address: string, port: number): Promise<boolean> {
  await enterHandshake();
  return new Promise((resolve) => {
    const client = new Client();
    const socket = new Socket().setNoDelay(true).connect(port, address);
    let shaking = true;
    let output = '';
    let status: number | null = null;
    const shaken = () => {
      if (shaking) leaveHandshake();
      shaking = false;
    };
    client
      .on('ready', () => {
        shaken();
        client.exec('exec /bin/sh -s', (error, stream) => {
          if (error) return client.end();
          stream.on('exit', (code: number | null) => (status = code));
          stream.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
          stream.stderr.resume();
          stream.on('close', () => client.end());
          stream.end(script);
        });
      })
      .on('error', () => socket.destroy())
      .on('close', () => {
        shaken();
        resolve(status === 0 && output.includes('the end'));
      })
      .connect({
        sock: socket,
        username,
        hostVerifier: (presented: Buffer) => presented.equals(expected),
        // The types know a list of method names only; ssh2 takes methods too.
        authHandler: [{ type: 'publickey', username, key }] as never,
        algorithms: {
          kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256'],
          serverHostKey: ['ssh-ed25519'],
          cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'],
        },
      });
  });
}

const hosts = readFileSync(hostsFile, 'utf8').trim().split('\n');
const results: boolean[] = [];
const next = hosts.values();
await Promise.all(
  Array.from({ length: Math.min(100, hosts.length) }, async () => {
    for (const host of next) {
      const [address = '', port] = host.split(':');
      results.push(await runOn(address, Number(port)));
    }
  }),
);
const good = results.filter(Boolean).length;
process.stdout.write(`${good} of ${hosts.length}\n`);
process.exitCode = good === hosts.length ? 0 : 1;
