#!/usr/bin/env bash
# Runs every fuzz target of the module, each for the time FUZZ (20s by default), and prints with how many inputs each target was run.
# The exit code is 1 when an input fails a target; such inputs are saved in testdata/fuzz of the package, as go test does.
#
# Each package is compiled once: go test -list and go test -fuzz would compile it twice, and link it again for each target. Go may
# only run one input to minimise an input that reaches new code: by default it takes up to a minute for each, so that the slower
# targets were run with only a few dozen inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go} FUZZ=${FUZZ:-20s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Write lines of package, folder and test file, for the test files that are compiled on this system.
"$GO" list -f '{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}
{{end}}{{range .XTestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}
{{end}}' ./... >"$work/files"
while read -r package folder file; do
  sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$package $folder \1|p" "$folder/$file"
done <"$work/files" | sort >"$work/targets"

# Whether the run of which $work/out is the output failed by the end of its time alone: when the time ends, Go sometimes takes that for a
# failure of the target, though no input failed (golang/go#75804, until Go 1.27).
out_of_time() { [ "$(sed '1,/^--- FAIL: /d' "$work/out")" = $'    context deadline exceeded\nFAIL' ]; }

status=0 built=
while read -r package folder target; do
  if [ "$package" != "$built" ]; then
    "$GO" test -c -fuzz . -o "$work/fuzz.test" "$package"
    built=$package
  fi
  echo "$package $target"
  (cd "$folder" && "$work/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZ" -test.fuzzminimizetime 1x \
    -test.fuzzcachedir "$("$GO" env GOCACHE)/fuzz/$package") </dev/null 2>&1 | tee "$work/out" || out_of_time || status=1
  executions=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$work/out" | tail -n 1)
  echo "${package#*/*/*/} $target ${executions:-0}" >>"$work/table"
done <"$work/targets"

echo
awk -v time="$FUZZ" 'BEGIN { printf "%-18s %-22s %12s\n", "package", "target", "inputs, " time } { printf "%-18s %-22s %12d\n", $1, $2, $3 }' "$work/table"
exit $status
