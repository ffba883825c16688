#!/usr/bin/env bash
# Fuzzes every fuzz target of the module, each for FUZZ (20s), and prints how many inputs each was run with. Inputs that
# fail stay in the package's testdata/fuzz, as go test leaves them; then the exit code is 1.
#
# Each package is compiled once: go test -list and go test -fuzz would compile it twice, and link it for each target. An input
# that reaches new code is minimised by one run only: by default Go gives each of them up to a minute, in which the slower
# targets were run with a few dozen inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go} FUZZ=${FUZZ:-20s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lines of package, folder and test file, as this system compiles them.
"$GO" list -f '{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}
{{end}}{{range .XTestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}
{{end}}' ./... >"$work/files"
while read -r package folder file; do
  sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$package $folder \1|p" "$folder/$file"
done <"$work/files" | sort >"$work/targets"

status=0 built=
while read -r package folder target; do
  if [ "$package" != "$built" ]; then
    "$GO" test -c -fuzz . -o "$work/fuzz.test" "$package"
    built=$package
  fi
  echo "$package $target"
  (cd "$folder" && "$work/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZ" -test.fuzzminimizetime 1x \
    -test.fuzzcachedir "$("$GO" env GOCACHE)/fuzz/$package") </dev/null 2>&1 | tee "$work/out" || status=1
  executions=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$work/out" | tail -n 1)
  echo "${package#*/*/*/} $target ${executions:-0}" >>"$work/table"
done <"$work/targets"

echo
awk -v time="$FUZZ" 'BEGIN { printf "%-18s %-22s %12s\n", "package", "target", "inputs, " time } { printf "%-18s %-22s %12d\n", $1, $2, $3 }' "$work/table"
exit $status
