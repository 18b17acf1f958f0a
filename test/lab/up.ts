// Boots a lab and keeps it until Ctrl-C: npx tsx test/lab/up.ts --hosts 3 [--packages chrony,jq]
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { executable, startLab } from './lab.js';

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '3' }, packages: { type: 'string', default: '' } },
});
const packages = values.packages.split(',').filter((name) => name !== '');
const lab = await startLab({ hosts: Number(values.hosts), packages });
const enter = `nsenter -t ${lab.start(['sleep', 'infinity']).pid} -n --`;
process.stdout.write(`folder     ${lab.folder}
inventory  ${lab.inventory}
hosts      ${lab.hosts.map(({ name, address }) => `${name} ${address}`).join(', ')}
ssh        ${enter} ssh -F ${lab.folder}/home/.ssh/config ${lab.hosts[0]?.address}
opsctl     cd ${lab.folder}/project && ${enter} node ${executable} COMMAND
Ctrl-C ends the lab.
`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await lab.stop();
process.exit();
