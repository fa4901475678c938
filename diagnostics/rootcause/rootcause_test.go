package rootcause_test

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/rootcause"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	host  = "mail.durand.example"
	owner = "marie@durand.example"
	zone  = host + ". 300 IN A 127.0.0.1\ndurand.example. 300 IN MX 10 " + host + ".\n" +
		"durand.example. 300 IN TXT \"v=spf1 mx -all\"\n_dmarc.durand.example. 300 IN TXT \"v=DMARC1; p=none; " +
		"rua=mailto:marie@durand.example\"\n"
)

var connected = wire.Routes{IPv4: true, Loopback: true, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.5")}}

// rig is a mail provider on loopback, whose name service can misbehave.
type rig struct {
	names   *scripted.DNS
	network *wire.Network
	target  account.Target
}

func newRig(t *testing.T, o scripted.Options, mailbox scripted.Options) *rig {
	t.Helper()
	ca := scripted.StartCA(t)
	o.ImplicitTLS, mailbox.ImplicitTLS = true, true
	if o.Certificate == nil {
		o.Certificate = scripted.Leaf(t, ca, certificates.Good, host)
	}
	if mailbox.Certificate == nil {
		mailbox.Certificate = o.Certificate
	}
	names := scripted.StartDNS(t, zone)
	resolver, err := wire.ResolverAt(names.Addr())
	if err != nil {
		t.Fatal(err)
	}
	server := func(port int) config.Server {
		return config.Server{
			Host: host, Port: port, Security: config.SecurityTLS, Auth: config.MechanismAuto, Username: owner,
		}
	}
	mailboxServer := server(scripted.StartIMAP(t, mailbox).Port())
	return &rig{
		names: names,
		network: &wire.Network{
			Resolver: resolver, Roots: ca.Roots(), Timeout: 2 * time.Second,
			Links: func() wire.Routes { return connected },
		},
		target: account.Target{
			Address: owner, Secret: secret.New("kivo-tams"), SentMode: config.SentAppend,
			Submission: server(scripted.StartSMTP(t, o).Port()), IMAP: &mailboxServer,
		},
	}
}

func (r *rig) run(t *testing.T) []diagnostics.Result {
	t.Helper()
	return rootcause.Run(t.Context(), r.network, nil, r.plans()...)
}

func (r *rig) plans() []diagnostics.Plan {
	plans := []diagnostics.Plan{
		smtp.Plan(r.network, r.target, smtp.Options{}), dns.Plan(r.network, r.target, dns.Options{}),
	}
	if r.target.IMAP != nil {
		plans = append(plans, imap.Plan(r.network, r.target, imap.Options{}))
	}
	return plans
}

func (r *rig) withoutMailbox() { r.target.IMAP = nil }

// failures are the checks that failed, with their causes.
func failures(results []diagnostics.Result) string {
	list := ""
	for _, r := range results {
		if r.Failed() {
			list += fmt.Sprintf("%s %s ", r.ID, r.Cause)
		}
	}
	return list
}

// TestOneRoot: whatever the name service or the network does to all checks, one check fails, and always the same.
func TestOneRoot(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		behaviour scripted.Behaviour
		routes    wire.Routes
		want      string
	}{
		{"no network", scripted.Refused, wire.Routes{}, "net.local no-network "},
		{"denies everything", scripted.NXDomain, connected, "net.resolver resolver-denies "},
		{"has nothing", scripted.NoData, connected, "net.resolver resolver-denies "},
		{"silent", scripted.Silent, connected, "net.resolver dns-failure "},
		{"always SERVFAIL", scripted.ServFail, connected, "net.resolver dns-failure "},
		{"always REFUSED", scripted.Refused, connected, "net.resolver dns-failure "},
		{"garbage", scripted.Garbage, connected, "net.resolver dns-failure "},
		{"invents addresses", scripted.Invent, connected, "net.resolver resolver-invents "},
		{"truncates, no TCP", scripted.OnlyUDP, connected, "net.resolver resolver-no-tcp "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, scripted.Options{}, scripted.Options{})
			r.names.BehaveAll(test.behaviour)
			r.network.Links = func() wire.Routes { return test.routes }
			for range 3 {
				results := r.run(t)
				if got := failures(results); got != test.want {
					t.Errorf("failed: %s, want %s", got, test.want)
				}
				for _, result := range results {
					if result.ID.Area() == "dns" && result.Status != check.Skip {
						t.Errorf("%s is %s (%s) although nothing was read", result.ID, result.Status, result.Cause)
					}
				}
			}
		})
	}
}

// TestThePrivateNameServiceIsRight: one that knows the names in question and denies all others is no fault.
func TestThePrivateNameServiceIsRight(t *testing.T) {
	t.Parallel()
	r := newRig(t, scripted.Options{Script: scripted.Script{"AUTH": scripted.Reply("535 5.7.8 no")}}, scripted.Options{})
	r.withoutMailbox()
	results := r.run(t)
	if got := failures(results); got != "smtp.auth wrong-password " {
		t.Errorf("failed: %s", got)
	}
	if _, judged := diagnostics.Find(results, check.NetResolver); judged {
		t.Error("a refused password says nothing about the name service")
	}
	r.target.Submission.Host = "smpt.durand.example"
	results = r.run(t)
	if root, _ := diagnostics.Root(results); root.ID != check.NetResolve || root.Cause != check.CauseDNSNXDomain {
		t.Errorf("a mistyped name: %s", failures(results))
	}
}

// TestTheZoneOfOthers: when only the domain's own name servers fail, that is said of them.
func TestTheZoneOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, scripted.Options{}, scripted.Options{})
	if err := r.names.Add("com. 300 IN NS a.gtld.example.\n!servfail " + host + ".\n"); err != nil {
		t.Fatal(err)
	}
	results := r.run(t)
	if root, _ := diagnostics.Root(results); root.ID != check.NetResolve || root.Cause != check.CauseZoneUnanswered {
		t.Errorf("failed: %s", failures(results))
	}
}

// TestNothingIsAskedOnTheGoodPath: a run in which nothing fails asks what its checks ask and no question more, and the
// machine's routes are not looked at.
func TestNothingIsAskedOnTheGoodPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, scripted.Options{}, scripted.Options{})
	r.withoutMailbox()
	r.network.Links = func() wire.Routes {
		t.Error("the routes were looked at")
		return connected
	}
	before := 0
	counted := func(run func() []diagnostics.Result) map[scripted.Query]int {
		if got := failures(run()); got != "" {
			t.Errorf("failed: %s", got)
		}
		counts := map[scripted.Query]int{}
		for _, q := range r.names.Queries()[before:] {
			counts[q]++
			before++
		}
		return counts
	}
	alone := counted(func() []diagnostics.Result { return diagnostics.Run(t.Context(), nil, r.plans()...) })
	judged := counted(func() []diagnostics.Result { return r.run(t) })
	if len(alone) == 0 || !maps.Equal(alone, judged) {
		t.Errorf("asked %v, and %v when judged together", alone, judged)
	}
}

// TestContradiction: a password that sending accepted is not wrong.
func TestContradiction(t *testing.T) {
	t.Parallel()
	r := newRig(t, scripted.Options{}, scripted.Options{Script: scripted.Script{
		"AUTHENTICATE": scripted.Reply("{tag} NO [AUTHENTICATIONFAILED] Authentication failed."),
	}})
	if got := failures(r.run(t)); got != "imap.auth mailbox-refuses-password " {
		t.Errorf("failed: %s", got)
	}
}

// TestTheOtherContradiction: a password that the mailbox accepted is not wrong either.
func TestTheOtherContradiction(t *testing.T) {
	t.Parallel()
	r := newRig(t, scripted.Options{Script: scripted.Script{"auth": scripted.Reply("535 5.7.8 Authentication failed")}},
		scripted.Options{})
	// The person's consent lets the second sign-in happen (docs/security.md T21); without a guard it always does.
	root, _ := diagnostics.Root(r.run(t))
	if root.ID != check.SMTPAuth || root.Cause != check.CauseSubmissionRefusesPassword {
		t.Errorf("root: %s %s", root.ID, root.Cause)
	}
}

// onceEach: a report says one thing of each check.
func onceEach(t *testing.T, results []diagnostics.Result) {
	t.Helper()
	seen := map[check.ID]bool{}
	for _, r := range results {
		if seen[r.ID] {
			t.Errorf("%s is judged twice", r.ID)
		}
		seen[r.ID] = true
	}
}

// TestACaptivePortal: a web server that answers in place of both servers is one cause, and not a wrong TLS mode.
func TestACaptivePortal(t *testing.T) {
	t.Parallel()
	page := scripted.Script{"tls": {
		Raw:   []byte("HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n"),
		Close: true,
	}}
	r := newRig(t, scripted.Options{Script: page}, scripted.Options{Script: page})
	results := r.run(t)
	if got := failures(results); got != "net.local captive-portal " {
		t.Errorf("failed: %s", got)
	}
	onceEach(t, results)
	r.names.BehaveAll(scripted.Invent)
	r.names.SetInvented(netip.MustParseAddr("127.0.0.1"))
	results = r.run(t)
	if got := failures(results); got != "net.local captive-portal " {
		t.Errorf("every name leads to it: %s", got)
	}
	onceEach(t, results)
	r.names.BehaveAll("")
	r.withoutMailbox()
	if got := failures(r.run(t)); got != "smtp.tls wrong-service " {
		t.Errorf("one server alone: %s", got)
	}
}

// TestTheClock: certificates of the future, or a clock before this program was made, are the clock's fault. An expired
// certificate on both ports of one provider is the provider's.
func TestTheClock(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		now  time.Time
		want string
	}{
		{"behind", time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), "net.local clock-wrong "},
		{"ahead", time.Now().AddDate(40, 0, 0), "smtp.certificate cert-expired "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, scripted.Options{}, scripted.Options{})
			r.network.Now = func() time.Time { return test.now }
			results := r.run(t)
			if got := failures(results); got != test.want {
				t.Errorf("failed: %s, want %s", got, test.want)
			}
			onceEach(t, results)
		})
	}
}

// TestAnInterceptor: certificates for two servers from one issuer that is not trusted are one cause.
func TestAnInterceptor(t *testing.T) {
	t.Parallel()
	const mailboxHost = "imap.durand.example"
	foreign := scripted.StartCA(t)
	r := newRig(t,
		scripted.Options{Certificate: scripted.Leaf(t, foreign, certificates.Good, host)},
		scripted.Options{Certificate: scripted.Leaf(t, foreign, certificates.Good, mailboxHost)})
	if err := r.names.Add(mailboxHost + ". 300 IN A 127.0.0.1\n"); err != nil {
		t.Fatal(err)
	}
	r.target.IMAP.Host = mailboxHost
	if got := failures(r.run(t)); got != "smtp.certificate security-software-intercept " {
		t.Errorf("failed: %s", got)
	}
}

// TestNothingIsPublished: a domain without any record is looked at twice where the name service invents addresses, and
// believed where it does not.
func TestNothingIsPublished(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[scripted.Behaviour]check.Cause{
		scripted.Invent: check.CauseResolverInvents, "": check.CauseMXMissing,
	} {
		r := newRig(t, scripted.Options{}, scripted.Options{})
		if err := r.names.Add("bare.example. 300 IN A 192.0.2.1\n"); err != nil {
			t.Fatal(err)
		}
		r.names.BehaveAll(behaviour)
		target := account.Target{Address: "anna@bare.example"}
		results := rootcause.Run(t.Context(), r.network, nil, dns.Plan(r.network, target, dns.Options{}))
		if first, _ := diagnostics.First(results); first.Cause != want {
			t.Errorf("%q: %s %s, want %s", behaviour, first.ID, first.Cause, want)
		}
	}
}

// TestNoNameServiceForAnAddress: a server that is given by its address works without the name service, so only the
// checks of the domain follow from it.
func TestNoNameServiceForAnAddress(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []scripted.Behaviour{scripted.NXDomain, scripted.Silent} {
		ca := scripted.StartCA(t)
		leaf := scripted.Leaf(t, ca, certificates.Good, "127.0.0.1")
		r := newRig(t, scripted.Options{Certificate: leaf}, scripted.Options{Certificate: leaf})
		r.network.Roots = ca.Roots()
		r.target.Submission.Host, r.target.IMAP.Host = "127.0.0.1", "127.0.0.1"
		r.names.BehaveAll(behaviour)
		results := r.run(t)
		for _, id := range []check.ID{check.SMTPAuth, check.SMTPRecipient, check.IMAPAuth, check.IMAPFolder} {
			if result, _ := diagnostics.Find(results, id); result.Status != check.Pass {
				t.Errorf("%v: %s %s %s", behaviour, id, result.Status, result.Cause)
			}
		}
		if mx, _ := diagnostics.Find(results, check.DNSMX); mx.Cause != check.CauseNeedsFailed ||
			!strings.HasPrefix(failures(results), "net.resolver ") || strings.Contains(failures(results), " dns.") {
			t.Errorf("%v: %s", behaviour, failures(results))
		}
	}
}
