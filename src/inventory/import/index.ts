import { opsctlSource } from './opsctl.js';
import type { SourceKind } from './source-kind.js';

/** The kinds of inventory files, one line each. The first that reads a file gets it. */
export const sourceKinds: readonly SourceKind[] = [opsctlSource];
