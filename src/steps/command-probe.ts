import { script } from './script.js';

/** Runs a command that the author of a runbook wrote. Arguments: shell, text, `secret` or `plain`, then the command's own. */
export const commandProbe = script('./command.sh', import.meta.url);
