/**
 * The commands that a CI runner would take from a log: GitHub's and Azure's rules. `::name props::data`
 * after leading white space, `##[name props]data` and `##vso[…]` anywhere; between `::stop-commands::TOKEN`
 * and `::TOKEN::` nothing counts but the token.
 */
export function runnerCommands(log: string): readonly string[] {
  const found: string[] = [];
  let token: string | undefined;
  for (const line of log.split(/\r\n|\n|\r/)) {
    const command = newStyle(line) ?? oldStyle(line);
    if (command === undefined) continue;
    if (token !== undefined) {
      if (command === token) token = undefined;
      continue;
    }
    if (command === 'stop-commands') token = line.trimStart().slice('::stop-commands::'.length).trim();
    found.push(command);
  }
  return found;
}

function newStyle(line: string): string | undefined {
  const match = /^::([^\s:]*)(?: .*?)?::/s.exec(line.trimStart());
  return match?.[1] || undefined;
}

function oldStyle(line: string): string | undefined {
  return /##(?:vso|teamcity)?\[([^\]\s]*)/i.exec(line)?.[0];
}
