#!/bin/sh
# Shared by what runs a text of a runbook with another shell. Everybody on a machine can read the arguments of a
# process, so a shell gets those that are secret through a pipe; other programs get no secret.

# Whether $1 is a shell that takes what quoted_words prints.
is_posix_shell() {
  case ${1##*/} in
    sh | ash | dash | bash | ksh* | mksh | yash | zsh) ;;
    *) return 1 ;;
  esac
}

refuse_secret() {
  echo "only a POSIX shell can be handed a secret out of sight, not ${1##*/}" >&2
  exit 126
}

# Prints every argument in single quotes. The backslash stands in a variable: shells differ in how they read it below.
quoted_words() {
  escaped="'\\''"
  for word in "$@"; do
    quoted=''
    while :; do
      case $word in
        *\'*)
          quoted=$quoted${word%%\'*}$escaped
          word=${word#*\'}
          ;;
        *) break ;;
      esac
    done
    printf " '%s'" "$quoted$word"
  done
}
