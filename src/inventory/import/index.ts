import { ansibleIniSource } from './ansible-ini.js';
import { ansibleListSource } from './ansible-list.js';
import { ansibleYamlSource } from './ansible-yaml.js';
import { executableSource } from './executable.js';
import { opsctlSource } from './opsctl.js';
import type { SourceKind } from './source-kind.js';

/** The kinds of inventory files, one line each. The first that reads a file gets it. */
export const sourceKinds: readonly SourceKind[] = [
  executableSource,
  ansibleIniSource,
  ansibleListSource,
  ansibleYamlSource,
  opsctlSource,
];
