import { expect, it } from 'vitest';
import { findSecretLiterals, isSecretKey } from './literals.js';

const placeOf = (path: readonly (string | number)[]) => ({ file: 'r.yaml', line: path.length, column: 1, source: 'S' });

it('finds literal secrets anywhere, and shows neither the value nor its line', () => {
  const problems = findSecretLiterals(
    { a: [{ 'db-password': 'hunter2' }], sudoToken: 'abcdef', pin: { token: 1234 } },
    placeOf,
  );

  expect(problems).toEqual([
    {
      code: 'E_SECRET_LITERAL',
      what: '`db-password` holds a secret in plain text',
      hint: 'write `db-password: { secret: "env:DB_PASSWORD" }`',
      place: { file: 'r.yaml', line: 3, column: 1 },
    },
    expect.objectContaining({ hint: 'write `sudoToken: { secret: "env:SUDO_TOKEN" }`' }),
    expect.objectContaining({ what: '`token` holds a secret in plain text' }),
  ]);
});

it('accepts references, expressions and what is empty', () => {
  const value = {
    password: { secret: 'env:DB_PW' },
    token: '${{ params.token }}',
    passphrase: '',
    secret: { secret: 'file:/etc/key' },
    max_password_age: '90',
    password_file: '/etc/x',
  };

  expect(findSecretLiterals(value, placeOf)).toEqual([]);
});

it('refuses a `secret` that is no reference', () => {
  expect(findSecretLiterals({ password: { secret: 'hunter2' } }, placeOf)).toHaveLength(1);
});

it.each(['password', 'DB_PASSWORD', 'ssh-passphrase', 'apiToken', 'api_key', 'client.secret'])(
  'takes %s for a secret',
  (key) => {
    expect(isSecretKey(key)).toBe(true);
  },
);

it.each(['passwordless', 'tokens', 'secretary', 'key', 'bypass', 'password_file'])('takes %s for no secret', (key) => {
  expect(isSecretKey(key)).toBe(false);
});
