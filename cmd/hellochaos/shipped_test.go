package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// shippedBugs are what each bug with which Istio was released must be found to be, in the file docs/shipped/NAME.yaml.
var shippedBugs = map[string]string{
	"istio-33387": `All \d+ requests to hellochaos\.partner\.example, .* were answered by partner\.example-outside, where outside the registry \(REGISTRY_ONLY\)`,
	"istio-34129": `all of the cohorts "checkout /v1" and .* were answered by checkout-v1-stand-in, where HTTPRoute checkout, rules\[0\] .* lets the proxy answer itself`,
	"istio-39188": `all of cohort "shop\.example /stock, by gateway shop:80", were answered by stock-stand-in, to which VirtualService shop, http\[0\]`,
	"istio-40474": `all of cohort "hellochaos\.tenants\.example:8443, by gateway tenants", were answered 404 .*VirtualService tenants, http\[0\] .*is not in force`,
	"istio-45415": `all of the cohorts "keys\.vault\.partner\.example" and "keys\.vault\.partner\.example\.", were answered by edge-stand-in, to which VirtualService vault, http\[0\]`,
	"istio-47148": `all of the cohorts "search /find x-tester: yes", "search /find x-branch: next" and .* were answered by search-v1`,
	"istio-49364": `requests to apis.* were answered 503 by a proxy: it knows nobody at the destination of VirtualService apis, http\[0\]`,
	"istio-49537": `all of the cohorts "basket" and "basket\.default\.svc\.cluster\.local\.", were answered by basket-v1, .* treated as VirtualService basket, http\[1\]`,
	"istio-49539": `all of cohort "site\.example /api/orders, by gateway site", were answered by api-stand-in`,
	"istio-49620": `all of cohort "site\.example /api, by gateway site", were answered by web-stand-in`,
	"istio-50506": `retryOn of payment\.default\.svc\.cluster\.local \(istio-50506\.yaml:8\): a call of which each try was answered 503 had 3 tries, and retryOn "connect-failure,.* allows 1 try`,
	"istio-52532": `consistentHash of cart\.default\.svc\.cluster\.local .*requests with the header x-session`,
	"istio-54357": `mirror of ledger\.default\.svc\.cluster\.local \(istio-54357\.yaml:10\): of 621 calls \d+ were copied .* where 25 % are to be, by HTTPRoute orders, rules\[0\]`,
	"istio-55767": `were answered by ledger\.partner\.example-outside, where VirtualService ledger, http\[0\] .* lets the proxy answer itself`,
	"istio-56007": `all of cohort "catalog\.default\.svc\.cluster\.local\.", failed with tries left and were not sent again`,
	"istio-59356": `all of the cohorts "shop /staff" and .* were answered 404, where HTTPRoute shop, rules\[0\] .* lets the proxy answer 500`,
	"istio-59504": `retryBudget of cart\.default\.svc\.cluster\.local .*a call was not sent again while at most 3 others .* beside 25 calls that hang, 20 % and at least 3 allow 5`,
	"istio-59667": `retryBudget of cart\.default\.svc\.cluster\.local subset v1 .*calls were in a retry at the same time`,
	"istio-61045": `consistentHash of cart\.default\.svc\.cluster\.local .*requests with the header x-session`,
}

// TestShippedBugs shows that verify says no to a mesh with a bug that Istio shipped, and names what is wrong, and that it says yes to the same
// file without the bug. With -seeds N it repeats both and prints the table of docs/shipped.md.
func TestShippedBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("make test runs verify twice for each bug")
	}
	for _, b := range mesh.Breaks() {
		if !b.OnlyFiles {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			cause, file := shippedBugs[b.Name], filepath.Join("..", "..", "docs", "shipped", b.Name+".yaml")
			if cause == "" {
				t.Fatal("it is not said what it must be found to be")
			}
			found, passed := 0, 0
			for seed := 1; seed <= *seeds; seed++ {
				report, text := verified(t, seed, "-f", file, "--break", b.Name)
				if report.Verdict == reports.Fail && regexp.MustCompile(cause).MatchString(text) {
					found++
				} else {
					t.Errorf("seed %d: %s, and the words do not match %q:\n%s", seed, report.Verdict, cause, text)
				}
				if report, text = verified(t, seed, "-f", file); report.Verdict == reports.Pass {
					passed++
				} else {
					t.Errorf("seed %d without the bug: %s\n%s", seed, report.Verdict, text)
				}
			}
			t.Logf("| %s | %d of %d | %d of %d |", b.Name, found, *seeds, passed, *seeds)
		})
	}
}

// verified is the report of verify, and its text in one line.
func verified(t *testing.T, seed int, args ...string) (report *reports.Report, text string) {
	t.Helper()
	folder := t.TempDir()
	got := execute(t, append([]string{"verify", "--seed", fmt.Sprint(seed), "--out", folder}, args...)...)
	report, err := reports.Load(folder)
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, got.stdout, got.stderr)
	}
	return report, strings.Join(strings.Fields(got.stdout), " ")
}
