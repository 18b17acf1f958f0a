const kept = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|XDG_RUNTIME_DIR)$/;

/** What a command inherits: never the secrets that the calling environment may hold. */
export function shortEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const short = Object.fromEntries(Object.entries(env).filter(([name]) => kept.test(name)));
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...short };
}
