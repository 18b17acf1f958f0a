/** Semantic versions and ranges of them, as strict as goss reads them. */
export interface Version {
  readonly numbers: readonly number[];
  readonly prerelease: readonly (string | number)[];
}

export function readVersion(source: string): Version | undefined {
  const match = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(source);
  if (!match) return undefined;
  const parts = match[4]?.split('.') ?? [];
  if (parts.some((part) => part === '' || /^0\d+$/.test(part))) return undefined;
  return {
    numbers: match.slice(1, 4).map(Number),
    prerelease: parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  };
}

type Test = (version: Version) => boolean;

/** `>1.0.0 <2.0.0 !=1.5.0 || >=3.0.0`. Undefined when it is no range. */
export function readVersionRange(source: string): Test | undefined {
  const choices = source.split('||').map((choice) => {
    const terms = choice.trim().match(/(?:[<>]=?|==?|!=?)?\s*[^\s<>=!|]+/g) ?? [];
    if (terms.length === 0 || terms.join('').replaceAll(/\s/g, '') !== choice.replaceAll(/\s/g, '')) return undefined;
    const tests = terms.map(readTerm);
    return tests.every((test) => test !== undefined) ? tests : undefined;
  });
  if (!choices.every((choice) => choice !== undefined)) return undefined;
  return (version) => choices.some((tests) => tests.every((test) => test(version)));
}

function readTerm(term: string): Test | undefined {
  const [, operator = '', number = ''] = /^([<>=!]*)\s*(.+)$/.exec(term.trim()) ?? [];
  const limit = readVersion(number);
  if (!limit) return undefined;
  return (version) => {
    const order = compareVersions(version, limit);
    switch (operator) {
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '!':
      case '!=':
        return order !== 0;
      default:
        return order === 0;
    }
  };
}

function compareVersions(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  // A release comes after all its pre-releases.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (const [index, part] of a.prerelease.entries()) {
    const other = b.prerelease[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (typeof part === typeof other) return part < other ? -1 : 1;
    return typeof part === 'number' ? -1 : 1;
  }
  return a.prerelease.length - b.prerelease.length;
}
