#!/usr/bin/env bash
# Forwards a port of this machine to each monitoring service of istio-system and prints the addresses. It ends all forwards together:
# on Ctrl-C, or with exit code 1 as soon as one of them ends by itself.
# Environment: KUBECTL.
set -euo pipefail
set -m # each forward gets a process group of its own, so that all its processes can be ended together
read -ra kubectl <<<"${KUBECTL:?}"
namespace=istio-system

# announce reads what kubectl prints about the forward of service $1, prints its address, and signals USR1 to this program when the
# forward has ended.
announce() {
  local line
  while read -r line; do
    case $line in
    "Forwarding from 127.0.0.1:"*)
      line=${line#Forwarding from }
      printf '%-11shttp://%s/\n' "$1" "${line%% *}"
      ;;
    "Forwarding from "* | "Handling connection "*) ;;
    *) printf '%s: %s\n' "$1" "$line" >&2 ;;
    esac
  done
  printf 'The forward to %s has ended, so all forwards end now.\n' "$1" >&2
  kill -s USR1 $$
}

# forward forwards port $3 of this machine, or any free port when that one is taken, to port $2 of service $1.
forward() {
  local here=$3
  if (: <"/dev/tcp/127.0.0.1/$here") 2>/dev/null; then
    here=
  fi
  "${kubectl[@]}" -n "$namespace" port-forward "service/$1" "$here:$2" </dev/null 2>&1 | announce "$1" &
}

# finish ends every forward, waits until none is left, and exits with code $1.
finish() {
  local group
  trap '' INT TERM HUP USR1
  for group in $(jobs -p); do
    kill -s TERM -- "-$group" 2>/dev/null || :
  done
  wait 2>/dev/null || :
  exit "$1"
}

# kubectl cannot forward to a service that selects no pods, so such services are left out.
services=$("${kubectl[@]}" -n "$namespace" get services -o jsonpath='{range .items[?(@.spec.selector)]}{.metadata.name}{"\n"}{end}')
has() { grep -qx "$1" <<<"$services"; }

if ! grep -qxE 'prometheus|grafana|kiali|tracing|zipkin' <<<"$services"; then
  echo "Namespace $namespace has no service prometheus, grafana, kiali, tracing or zipkin: 'make deploy-istio' installs them." >&2
  exit 1
fi

echo "These addresses work until you press Ctrl-C:"
trap 'finish 0' INT TERM HUP
trap 'finish 1' USR1
if has prometheus; then forward prometheus 9090 9090; fi
if has grafana; then forward grafana 3000 3000; fi
if has kiali; then forward kiali 20001 20001; fi
if has tracing; then
  forward tracing 80 9411
elif has zipkin; then
  forward zipkin 9411 9411
fi
wait
