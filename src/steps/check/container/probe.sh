#!/bin/sh
# Prints the containers that match filter $2 of engine $1 (docker, podman, auto), one JSON a line, and the digests of
# their images when $3 is `digests`. Exit 69: the engine does not answer; 77: it does not let this user in.
set -eu

engine=$1
if [ "$engine" = auto ]; then
  engine=docker
  command -v docker >/dev/null || engine=podman
  command -v "$engine" >/dev/null || {
    echo 'neither docker nor podman is installed' >&2
    exit 127
  }
fi
command -v "$engine" >/dev/null || {
  printf '%s is not installed\n' "$engine" >&2
  exit 127
}

# The answer of the engine, or the end: its clients tell trouble in words only.
ask() {
  said=$("$engine" "$@" 2>/dev/null) && return 0
  # Warnings stay out of a good answer, so the reason of a bad one takes another try. Its first line tells.
  said=$("$engine" "$@" 2>&1 >/dev/null) || true
  printf '%s\n' "${said%%
*}" >&2
  case $said in
    *'permission denied'*) exit 77 ;;
  esac
  exit 69
}

printf 'engine\t%s\n' "$engine"
ask ps -aq --no-trunc --filter "$2"
ids=$said
if [ -n "$ids" ]; then
  health=Health
  # shellcheck disable=SC2086 # an id has no spaces
  case $("$engine" container inspect --format '{{.State.Health}}' $ids 2>&1) in
    # podman before 4
    *'evaluate field Health'*) health=Healthcheck ;;
  esac
  # shellcheck disable=SC2086
  ask container inspect --format "container	{\"name\":{{json .Name}},\"status\":{{json .State.Status}},\"exit\":{{json .State.ExitCode}},\"oom\":{{json .State.OOMKilled}},\"restarts\":{{json .RestartCount}},\"health\":{{if .State.$health}}{{json .State.$health.Status}}{{else}}\"\"{{end}},\"image\":{{json .Config.Image}},\"id\":{{json .Image}}}" $ids
  printf '%s\n' "$said"
  if [ "$3" = digests ]; then
    # shellcheck disable=SC2086
    ask container inspect --format '{{.Image}}' $ids
    for image in $said; do
      ask image inspect --format "image	{\"id\":{{json .ID}},\"digests\":{{json .RepoDigests}}}" "$image"
      printf '%s\n' "$said"
    done
  fi
fi
echo 'end	'
