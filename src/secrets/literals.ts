import type { Place, Problem } from '../errors.js';

type ValuePath = readonly (string | number)[];

/**
 * Finds plain text under keys such as `password` or `api-token`. A reference (`{ secret: "env:DB_PW" }`),
 * an expression and an empty text are fine. The text itself never appears in a problem.
 */
export function findSecretLiterals(value: unknown, placeOf: (path: ValuePath) => Place): readonly Problem[] {
  const problems: Problem[] = [];
  collect(value, [], placeOf, problems);
  return problems;
}

/** Keys whose value is a secret, whatever stands before: `db_password`, `sudo-pass`, `apiToken`. */
const secretKey =
  /(?:^|[_.-])(?:password|passwd|passphrase|passwort|secret|token|api[_-]?key|private[_-]?key|access[_-]?key)$/i;
const camelKey = /(?:Password|Passphrase|Secret|Token|ApiKey|PrivateKey|AccessKey)$/;

export function isSecretKey(key: string): boolean {
  return secretKey.test(key) || camelKey.test(key);
}

function collect(value: unknown, path: ValuePath, placeOf: (path: ValuePath) => Place, problems: Problem[]): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, [...path, index], placeOf, problems);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const itemPath = [...path, key];
    if (isLiteral(key, item, value)) problems.push(literalProblem(key, withoutSource(placeOf(itemPath))));
    else collect(item, itemPath, placeOf, problems);
  }
}

function isLiteral(key: string, value: unknown, parent: object): boolean {
  if (typeof value === 'string' && value !== '' && isSecretKey(key)) {
    return !value.includes('${{') && !(key === 'secret' && isReference(parent, value));
  }
  return typeof value === 'number' && isSecretKey(key);
}

function isReference(parent: object, value: string): boolean {
  return Object.keys(parent).length === 1 && /^(?:env|file|exec):./.test(value);
}

// The source line would print the secret under the caret.
function withoutSource({ file, line, column }: Place): Place {
  return { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

function literalProblem(key: string, place: Place): Problem {
  const variable = key
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll(/\W/g, '_')
    .toUpperCase();
  return {
    code: 'E_SECRET_LITERAL',
    what: `\`${key}\` holds a secret in plain text`,
    hint: `write \`${key}: { secret: "env:${variable}" }\``,
    place,
  };
}
