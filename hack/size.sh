#!/usr/bin/env bash
# Prints the size of the program hellochaos as a release has it, for linux/amd64, and what fills it: code and data by module. The sizes
# come from the symbols of the same program before it is stripped. Tables of lines, types and strings have no symbols; they are the
# difference to the whole size.
# Environment: GO.
set -euo pipefail
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"${GO:?}" build -trimpath -o "$folder/symbols" ./cmd/hellochaos
"$GO" build -trimpath -ldflags "-s -w" -o "$folder/stripped" ./cmd/hellochaos
total=$(wc -c <"$folder/stripped")

# Symbols of the kinds T, R and D are in the file. An exception is drbg.memory of crypto: it has kind D and 32 MB, but its memory is
# only reserved when the program runs.
"$GO" tool nm -size "$folder/symbols" | awk -v total="$total" '
  NF >= 4 && $3 ~ /^[TtRrDd]$/ && $4 != "crypto/internal/fips140/drbg.memory" {
    name = $4
    sub(/^(type:\.(eq|hash)\.|go:itab\.\**|go:|type:)/, "", name)
    sub(/[[({].*/, "", name)
    n = split(name, part, "/")
    sub(/\..*/, "", part[n]) # the package of the last folder, without its symbol
    if (n == 1 || part[1] !~ /\./) module = "Go itself"
    else if (part[1] == "go.opentelemetry.io") module = part[1]
    else if (part[1] ~ /^(k8s\.io|gonum\.org|istio\.io|go\.yaml\.in|sigs\.k8s\.io|google\.golang\.org)$/) module = part[1] "/" part[2]
    else module = part[1] "/" part[2] "/" part[3]
    size[module] += $2
    known += $2
  }
  END {
    printf "%10d  in all\n", total
    for (module in size) if (size[module] >= 100000) printf "%10d  %s\n", size[module], module; else others += size[module]
    printf "%10d  other modules\n%10d  tables without symbols\n", others, total - known
  }' | sort -rn
