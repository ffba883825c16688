package main

import (
	"strconv"
	"strings"
	"time"
)

// otherFlag is a flag of other load generators that hellochaos spells otherwise, or does not have. In what is said of it, V stands for its
// value.
type otherFlag struct {
	names  string // as they are typed there, with blanks between them
	bare   bool   // it takes no value
	here   string // what hellochaos has
	number string // the same of a value that is a whole number; empty: as here
	time   string // the same of a value that is a time, such as 10s; empty: as here
}

// What several flags of the table have in common.
const (
	closedLoop  = "--rate max --workers V, where each answer is followed by the next request, as with wrk and k6; with --rate 100/s requests leave by the clock, and --connections bounds how many are in flight"
	noThreads   = "no threads: one thread sends, and --workers-local 2 has two processes send"
	noScripts   = "no scripts: --targets FILE has several requests, and --expect says what must hold"
	noRedirects = "nothing like it: redirects are answers, and are not followed"
	stages      = "--rate 10..50:30s,50:1m: phases of requests a second, in place of users"
	bodyInFile  = "--body FILE, a file with the body"
	noAverage   = "nothing like it: p50 to p99.9 and the maximum are in every report, and --format json has more"
)

// otherFlags are those of vegeta 12, wrk and wrk2, hey, ab, oha, fortio, curl and k6 that users of these type at 'attack' and 'report'. Where one
// letter means different things there, the value tells which one is meant.
var otherFlags = []otherFlag{
	// How much, how fast and how long
	{names: "-c --concurrency", here: closedLoop},
	{names: "-u --vus --max", here: closedLoop},
	{names: "--max-workers --max-connections", here: "--connections V with a rate, and --workers V with --rate max"},
	{names: "-t", here: "--duration 10s for how long, and --timeout 2s for each request", number: noThreads, time: "--duration V"},
	{names: "--threads --cpus", here: noThreads},
	{names: "-d", here: bodyInFile, number: "--duration Vs", time: "--duration V"},
	{names: "-z", here: "--duration V"},
	{names: "-i --iterations --requests-count", here: "--requests V"},
	{names: "-R --qps --rps -qps", here: "--rate V"},
	{names: "-q", here: "--no-progress", number: "--rate V, in requests a second of all connections together"},
	{names: "--stage --stages", here: stages},
	{names: "-s --script", here: noScripts + "; k6's stages are " + stages},
	// What is sent
	{names: "-m", here: "--method V"},
	{names: "--data --data-raw --data-binary --payload", here: bodyInFile},
	{names: "-D --body-file --payload-file", here: "--body V"},
	{names: "-T --content-type", here: "--header 'Content-Type: V'"},
	{names: "-A", here: "--header 'Accept: V'"},
	{names: "--user-agent", here: "--header 'User-Agent: V'"},
	{names: "--host", here: "--header 'Host: V'"},
	{names: "-a --user", here: "http://USER:PASSWORD@HOST/ as the URL, or --header 'Authorization: …'"},
	{names: "-e --env --tag", here: noScripts},
	{names: "--chunked", bare: true, here: "nothing like it: a body is sent with its length"},
	{names: "--lazy", bare: true, here: "nothing like it: the targets are read before the first request"},
	// Connections
	{names: "-k --insecure-skip-tls-verify", bare: true, here: "--insecure"},
	{names: "--root-certs --ca-cert", here: "--cacert V"},
	{names: "--keepalive", bare: true, here: "--fresh-connections for a connection for each request; without it, connections are kept"},
	{names: "--disable-keepalive --no-connection-reuse --no-vu-connection-reuse", bare: true, here: "--fresh-connections"},
	{names: "--h2c --h2", bare: true, here: "--http2, which is h2c to http://"},
	{names: "--connect-to", here: "--resolve HOST:PORT:ADDRESS"},
	{names: "-x --proxy --proxy-header", here: "nothing like it: requests go to their address, or to that of --resolve"},
	{names: "--disable-compression", bare: true, here: "nothing like it: no compression is asked for"},
	{names: "-L --location --disable-redirects", bare: true, here: noRedirects},
	{names: "--redirects --max-redirects", here: noRedirects},
	{names: "--max-body", here: "nothing like it: bodies are read to their end, and not kept"},
	{names: "--laddr --unix-socket --dns-ttl --resolvers", here: "nothing like it: connections are made as this machine makes them, or to the address of --resolve"},
	{names: "--session-tickets --http-debug", bare: true, here: "nothing like it"},
	{names: "--name", here: "nothing like it: a report has the method and the URL of each target"},
	// What is printed and judged
	{names: "--latency --u_latency", bare: true, here: "nothing to add: the quantiles of the latency are in every report"},
	{names: "--latency-correction", bare: true, here: "nothing to add: latency counts from the planned start of a request, always"},
	{names: "-p --percentiles --summary-trend-stats --buckets", here: noAverage},
	{names: "--threshold --thresholds", here: "--expect 'p95 < 200ms'; 'errors < 1%' and 'rate > 100/s' are others"},
	{names: "--type", here: "--format for the form of a report: text, json, html, junit or prometheus"},
	{names: "--every", here: "nothing like it: a report is printed once"},
	{names: "-o", here: "--output results.csv for a file of every request, --out FOLDER for the report in all formats, and --format for what is printed"},
	{names: "--summary-export", here: "--out FOLDER, or --format json"},
	{names: "--json", here: "--format json"},
	{names: "--output-format", here: "--format V"},
	{names: "--prometheus-addr", here: "--format prometheus, of the whole attack at its end"},
	{names: "--quiet --no-tui --no-color-output", bare: true, here: "--no-progress"},
}

// otherCommands are commands of other load generators, with what hellochaos has in their place.
var otherCommands = map[string]string{
	"plot":    "'hellochaos report r.bin --format html' draws latency over time; vegeta plot reads the file of --output, too",
	"encode":  "'hellochaos attack --output r.json' and r.csv write these formats at once; vegeta encode reads the file of --output, too",
	"dump":    "'hellochaos attack --output r.json' and r.csv write these formats at once; vegeta encode reads the file of --output, too",
	"load":    "'hellochaos attack URL' sends load to an address",
	"cloud":   "'hellochaos attack URL' sends load to an address, and with --workers-on-cluster from pods of a cluster of yours",
	"new":     "'hellochaos attack URL' sends load without a script",
	"archive": "'hellochaos attack URL' sends load without a script",
	"inspect": "'hellochaos attack URL' sends load without a script",
}

// saying is what hellochaos has for a flag with that value, which is empty where none was typed.
func (f *otherFlag) saying(value string) string {
	text := f.here
	if _, err := strconv.ParseUint(value, 10, 32); err == nil && f.number != "" {
		text = f.number
	} else if _, err := time.ParseDuration(value); err == nil && f.time != "" {
		text = f.time
	}
	if value == "" {
		value = "…"
	}
	var words []string
	for word := range strings.SplitSeq(text, " ") {
		if at := strings.TrimRight(word, ",;:'s"); at == "V" {
			word = value + word[1:]
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// otherTool is the flag of another tool with that name, with its dashes; nil where none has it.
func otherTool(name string) *otherFlag {
	for i := range otherFlags {
		for known := range strings.FieldsSeq(otherFlags[i].names) {
			if known == name {
				return &otherFlags[i]
			}
		}
	}
	return nil
}
