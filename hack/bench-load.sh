#!/usr/bin/env bash
# Measures hellochaos attack beside other load generators, in one run in which they take turns, against the same nginx with one worker. It
# prints the smallest, the median and the largest value of ROUNDS rounds, and the ratios of the medians.
#
# It needs nginx and vegeta (go install github.com/tsenart/vegeta/v12@v12.13.0), and takes wrk and hey (Debian), oha (cargo install oha
# --version 1.15.0 --locked) and fortio (go install fortio.org/fortio@v1.68.0) where they are installed. A round takes about 3 s for each program.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go} ROUNDS=${ROUNDS:-3} SECONDS_EACH=${SECONDS_EACH:-2}
work=$(mktemp -d)
"$GO" build -o "$work/hellochaos" ./cmd/hellochaos
for program in nginx vegeta; do
  command -v "$program" >/dev/null || { echo "bench-load: $program is not installed"; exit 2; }
done
chmod 755 "$work" # for the worker of nginx, which has a user of its own
mkdir "$work/html"
head -c 612 /dev/zero | tr '\0' x >"$work/html/index.html"
cat >"$work/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/pid;
error_log $work/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  server { listen 127.0.0.1:18091; root $work/html; }
}
CONF
nginx -c "$work/nginx.conf" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
sleep 0.5
URL=http://127.0.0.1:18091/
echo "GET $URL" >"$work/targets"
TIMEFORMAT='%U %S'

# attack sends with hellochaos. Status 3 says that the generator was late, which is a result here; any other failure ends the measurement.
attack() { "$work/hellochaos" attack "$URL" --format json --no-progress "$@" >"$work/out" 2>"$work/said" || [ $? = 3 ] || { cat "$work/said" >&2; exit 1; }; }

# number FILE NAME prints the first number after NAME in a file of JSON.
number() { sed -n "s/.*\"$2\": *\([0-9.e+-]*\).*/\1/p" "$1" | head -n 1; }

# fastest PROGRAM sends as fast as the program can over 64 connections and prints the number of requests.
fastest() {
  local t=$SECONDS_EACH
  case $1 in
    hellochaos) attack --rate max --workers 64 --duration "${t}s"
      number "$work/out" ok ;;
    vegeta) vegeta attack -targets "$work/targets" -rate 0 -max-workers 64 -workers 64 -duration "${t}s" >"$work/vegeta.bin"
      echo later ;;
    wrk) wrk -t 1 -c 64 -d "${t}s" "$URL" | awk '/requests in/ {print $1}' ;;
    hey) hey -c 64 -z "${t}s" "$URL" | awk '/responses/ {print $2}' ;;
    oha) oha --no-tui -c 64 -z "${t}s" "$URL" | awk '/\[200\]/ {print $2}' ;;
    fortio) fortio load -qps 0 -c 64 -t "${t}s" "$URL" 2>&1 | awk '/^Code 200/ {print $4}' ;;
  esac
}

# lateness of vegeta: what its requests are later than the least late one, since its file does not say when the attack began.
vegeta_lateness() {
  vegeta encode -to csv "$1" | cut -d, -f1 | sort -n |
    awk -v gap=166666.6667 '{late = $1 - first - (NR - 1) * gap} NR == 1 {first = $1; late = 0} {print late / 1000}' | sort -n |
    awk '{all[NR] = $1} END {printf "%.0f %.0f\n", all[int((NR + 1) / 2)] - all[1], all[int(NR * 0.99)] - all[1]}'
}

# steady notes the CPU for a request of a program that has sent 6,000 requests a second.
steady() { awk -v program="$1" -v sent=$((6000 * SECONDS_EACH)) '{print program, "steady", ($1 + $2) * 1e6 / sent}' "$work/time" >>"$work/measured"; }

programs="hellochaos vegeta"
for program in wrk hey oha fortio; do
  command -v "$program" >/dev/null && programs="$programs $program"
done
echo "programs: $programs; $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1); load $(cut -d' ' -f1-3 /proc/loadavg)"
for _ in $(seq "$ROUNDS"); do
  for program in $programs; do
    { time fastest "$program" >"$work/sent" 2>"$work/stderr"; } 2>"$work/time"
    [ "$(cat "$work/sent")" != later ] || vegeta report -type json "$work/vegeta.bin" | sed -n 's/.*"requests":\([0-9]*\).*/\1/p' >"$work/sent"
    awk -v program="$program" -v t="$SECONDS_EACH" -v sent="$(cat "$work/sent")" \
      '{print program, "rate", sent / t; print program, "cpu", ($1 + $2) * 1e6 / sent}' "$work/time" >>"$work/measured"
  done
  { time attack --rate 6000 --duration "${SECONDS_EACH}s"; } 2>"$work/time"
  steady hellochaos
  awk -v p50="$(number "$work/out" lagMedian)" -v p99="$(number "$work/out" lagP99)" 'BEGIN {print "hellochaos lateness50", p50 * 1e6; print "hellochaos lateness99", p99 * 1e6}' >>"$work/measured"
  { time vegeta attack -targets "$work/targets" -rate 6000 -duration "${SECONDS_EACH}s" >"$work/late.bin"; } 2>"$work/time"
  steady vegeta
  vegeta_lateness "$work/late.bin" | awk '{print "vegeta lateness50", $1; print "vegeta lateness99", $2}' >>"$work/measured"
done
[ "$(wc -l <"$work/measured")" -gt 0 ]

awk '
  { key = $1 " " $2; n[key]++; value[key, n[key]] = $3; if (!(key in order)) { order[key] = ++keys; name[keys] = key } }
  function sorted(key,   i, j, v) {
    for (i = 2; i <= n[key]; i++) { v = value[key, i]; for (j = i - 1; j > 0 && value[key, j] > v; j--) value[key, j + 1] = value[key, j]; value[key, j + 1] = v }
  }
  function median(key) { return value[key, int((n[key] + 1) / 2)] }
  function ratio(what, other, of) { if ((other " " of) in order) printf "%-44s %.2f\n", what, median("hellochaos " of) / median(other " " of) }
  END {
    label["rate"] = "requests a second, at most"; label["cpu"] = "µs of CPU for a request"; label["steady"] = "the same at 6,000/s"
    label["lateness50"] = "µs late at 6,000/s, median"; label["lateness99"] = "µs late at 6,000/s, p99"
    printf "%-12s %-28s %10s %10s %10s\n", "program", "what", "min", "median", "max"
    for (i = 1; i <= keys; i++) {
      key = name[i]; sorted(key); split(key, part, " ")
      printf "%-12s %-28s %10.0f %10.0f %10.0f\n", part[1], label[part[2]], value[key, 1], median(key), value[key, n[key]]
    }
    print ""
    ratio("rate: hellochaos / vegeta", "vegeta", "rate"); ratio("rate: hellochaos / wrk", "wrk", "rate"); ratio("rate: hellochaos / oha", "oha", "rate"); ratio("rate: hellochaos / fortio", "fortio", "rate")
    ratio("CPU: hellochaos / vegeta", "vegeta", "cpu"); ratio("CPU at 6,000/s: hellochaos / vegeta", "vegeta", "steady"); ratio("median lateness: hellochaos / vegeta", "vegeta", "lateness50")
  }' "$work/measured"

# A freeze: nginx stands still for a second of five, at 200 requests a second. The longest wait is the freeze, and the p99 is what one request
# in 100 waited at least: a twentieth of a second less.
echo
echo "freeze of a second at 200/s for 5 s, four connections where the program is given a number: p99 and maximum in ms"
freeze() {
  ( sleep 1.5
    worker=$(ps -o pid= --ppid "$server")
    kill -STOP $worker; began=$(date +%s%N); sleep 1; kill -CONT $worker
    echo $((($(date +%s%N) - began) / 1000000)) >"$work/frozen" ) &
  local by=$!
  "$@"
  wait "$by"
}
said() { printf "%-34s p99 %6.0f  max %6.0f   (truth: p99 %6.0f, max %6.0f)\n" "$1" "$2" "$3" "$(($(cat "$work/frozen") - 50))" "$(cat "$work/frozen")"; }
seconds() { awk -v s="$1" 'BEGIN {print s * 1000}'; }
for connections in "" 4; do
  freeze attack --rate 200 --duration 5s ${connections:+--connections $connections}
  latency=$(sed -n '/"latency"/,/"serviceTime"/p' "$work/out" | sed '/"failed"/,$d')
  said "hellochaos${connections:+ --connections $connections}" "$(seconds "$(echo "$latency" | grep -A1 '"q": 0.99,' | sed -n 's/.*"seconds": \([0-9.]*\).*/\1/p')")" \
    "$(seconds "$(echo "$latency" | sed -n 's/.*"max": \([0-9.]*\).*/\1/p')")"
done
for workers in "" 4; do
  freeze vegeta attack -targets "$work/targets" -rate 200 -duration 5s ${workers:+-workers $workers -max-workers $workers} -output "$work/vegeta.bin"
  vegeta report -type json "$work/vegeta.bin" >"$work/out"
  said "vegeta${workers:+ -max-workers $workers}" "$(awk -v n="$(number "$work/out" 99th)" 'BEGIN {print n / 1e6}')" "$(awk -v n="$(number "$work/out" max)" 'BEGIN {print n / 1e6}')"
done
for program in $programs; do
  case $program in
    wrk) freeze wrk -t 1 -c 4 -d 5s --latency "$URL" >"$work/out"
      said "wrk -c 4 (as fast as it can)" "$(awk '/99%/ {v = $2; m = v ~ /us/ ? 0.001 : v ~ /ms/ ? 1 : 1000; print v * m}' "$work/out")" "$(awk '/Latency  / {v = $4; m = v ~ /us/ ? 0.001 : v ~ /ms/ ? 1 : 1000; print v * m}' "$work/out")" ;;
    hey) freeze hey -c 4 -q 50 -z 5s "$URL" >"$work/out"
      said "hey -c 4 -q 50" "$(seconds "$(awk '/99% in/ {print $3}' "$work/out")")" "$(seconds "$(awk '/Slowest/ {print $2}' "$work/out")")" ;;
    oha) freeze oha --no-tui -c 4 -q 200 -z 5s --output-format json "$URL" >"$work/out"
      said "oha -c 4 -q 200" "$(seconds "$(number <(sed -n '/"latencyPercentiles"/,$p' "$work/out") p99)")" "$(seconds "$(number "$work/out" slowest)")" ;;
    fortio) freeze fortio load -qps 200 -c 4 -t 5s "$URL" >"$work/out" 2>&1
      said "fortio -c 4 -qps 200" "$(seconds "$(awk '/target 99%/ {print $4; exit}' "$work/out")")" "$(seconds "$(awk '/^Aggregated Function Time/ {for (i = 1; i < NF; i++) if ($i == "max") print $(i + 1)}' "$work/out")")" ;;
  esac
done
