#!/bin/sh
# Prints nodes, workloads and pods of a cluster, one a line, as kubectl sees them. $1: kinds with commas between; $2: a
# namespace, or nothing for all; $3: label selector, $4: context, $5: kubeconfig file, each may be empty; $6: seconds for
# a request. Exit 69: the cluster does not answer; 77: it does not let this user look.
set -eu

kinds=$1 namespace=$2 selector=$3 context=$4 config=$5 seconds=$6
command -v kubectl >/dev/null || {
  echo 'kubectl is not installed' >&2
  exit 127
}
# Objects are large, so only what counts is sent. Everything that follows is a template for kubectl.
t='{{"\t"}}'
named="{{.kind}}$t{{or .metadata.namespace \"\"}}$t{{.metadata.name}}"
node="{{if eq .kind \"Node\"}}${t}unschedulable={{.spec.unschedulable}}{{range .status.conditions}}$t{{.type}}={{.status}}{{end}}"
pod="{{else if eq .kind \"Pod\"}}${t}phase={{.status.phase}}${t}reason={{.status.reason}}${t}deleted={{.metadata.deletionTimestamp}}{{range .status.conditions}}$t{{.type}}={{.status}}/{{.reason}}{{end}}"
container="container={{.name}}/{{.ready}}/{{.restartCount}}/{{with .state}}{{with .waiting}}{{.reason}}{{end}}{{end}}"
containers="{{range .status.initContainerStatuses}}${t}init-$container{{end}}{{range .status.containerStatuses}}$t$container{{end}}"
counts="{{else}}${t}generation={{.metadata.generation}}${t}observed={{.status.observedGeneration}}${t}replicas={{.spec.replicas}}${t}ready={{.status.readyReplicas}}${t}updated={{.status.updatedReplicas}}${t}available={{.status.availableReplicas}}${t}paused={{.spec.paused}}${t}current={{.status.currentRevision}}${t}update={{.status.updateRevision}}${t}desired={{.status.desiredNumberScheduled}}${t}scheduled={{.status.updatedNumberScheduled}}${t}number-ready={{.status.numberReady}}{{with .spec.updateStrategy}}${t}strategy={{.type}}{{with .rollingUpdate}}${t}partition={{.partition}}{{end}}{{end}}{{range .status.conditions}}$t{{.type}}={{.status}}/{{.reason}}{{end}}"
template="{{range .items}}$named$node$pod$containers$counts{{end}}{{\"\\n\"}}{{end}}"

set -- get "$kinds" --request-timeout="${seconds}s" --cache-dir=/dev/null -o "go-template=$template"
if [ -n "$namespace" ]; then set -- "$@" -n "$namespace"; else set -- "$@" -A; fi
[ -z "$selector" ] || set -- "$@" -l "$selector"
[ -z "$context" ] || set -- "$@" --context "$context"
[ -z "$config" ] || set -- "$@" --kubeconfig "$config"
# Warnings come among the objects; they have no tabs.
said=$(kubectl "$@" 2>&1) || {
  printf '%s\n' "${said##*
}" >&2
  case $said in
    *'(Forbidden)'* | *'(Unauthorized)'* | *'must be logged in'* | *'permission denied'*) exit 77 ;;
  esac
  exit 69
}
printf '%s\nend\n' "$said"
