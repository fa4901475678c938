package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/report"
	"postier/diagnostics/smtp"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/setup"
	"postier/tui/plain"
	"postier/wizard"
)

type diagnoseOptions struct {
	only       []string
	transcript bool
	arrival    bool
	sendTo     string
	selectors  []string
	ip         string
	cleartext  bool
}

func (a *app) diagnoseCommand() *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: "diagnose [PROFILE | ADDRESS]", Short: a.t("short.diagnose"), Args: a.args(0, 1)}
	a.diagnoseFlags(cmd, o)
	cmd.Flags().BoolVar(&o.arrival, "arrival", false, a.t("flag.arrival"))
	cmd.Flags().StringVar(&o.sendTo, "send-to", "", a.t("flag.send-to"))
	values, secrets := a.settingFlags(cmd), a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.runDiagnose(cmd.Context(), o, args, values.given(), secrets)
	}
	cmd.AddCommand(a.diagnoseServer("smtp"), a.diagnoseServer("imap"), a.diagnoseDNS(), a.diagnoseSPF(), a.diagnoseMessage())
	return cmd
}

func (a *app) diagnoseFlags(cmd *cobra.Command, o *diagnoseOptions) {
	cmd.Flags().StringSliceVar(&o.only, "only", nil, a.t("flag.only"))
	cmd.Flags().BoolVar(&o.transcript, "transcript", false, a.t("flag.transcript"))
	cmd.Flags().BoolVar(&o.cleartext, "insecure-cleartext", false, a.t("flag.cleartext"))
}

// runDiagnose checks a saved profile, an address with its preset, or settings given by flags.
func (a *app) runDiagnose(ctx context.Context, o *diagnoseOptions, args []string, values map[wizard.FieldID]string, secrets *secretFlags) error {
	if err := a.checkGiven("", values); err != nil {
		return err
	}
	network, err := a.network()
	if err != nil {
		return err
	}
	target, err := a.diagnoseTarget(ctx, args, values)
	if err != nil {
		return err
	}
	if o.sendTo != "" {
		if err := a.checkGiven(o.sendTo, nil); err != nil {
			return err
		}
		target.Recipient = o.sendTo
	}
	if given, err := secrets.read(ctx, a); err != nil {
		return err
	} else if !given.Empty() {
		target.Secret = given
	}
	if err := a.askSecret(ctx, &target, o); err != nil {
		return err
	}
	target.AllowCleartext = o.cleartext
	plans := []diagnostics.Plan{smtp.Plan(network, target, smtp.Options{}), dns.Plan(network, target, dns.Options{})}
	if target.IMAP != nil {
		plans = append(plans, imap.Plan(network, target, imap.Options{Lang: a.lang(), SentNames: a.sentNames(target.Provider)}))
		if o.arrival || o.sendTo != "" {
			plans = append(plans, arrival.Plan(network, target, arrival.Options{Lang: a.lang()}))
		}
	}
	return a.diagnosed(ctx, o, target, plans...)
}

func (a *app) sentNames(provider string) []string {
	if p, ok := a.book().Get(provider); ok {
		return p.SentFolders
	}
	return nil
}

// diagnoseTarget finds what to check: a profile by name, an address by its preset or its domain's MX, or the flags alone.
func (a *app) diagnoseTarget(ctx context.Context, args []string, values map[wizard.FieldID]string) (diagnostics.Target, error) {
	var target diagnostics.Target
	var err error
	switch {
	case len(args) == 1 && strings.Contains(args[0], "@"):
		target, err = a.targetOfAddress(ctx, args[0], values)
	case len(args) == 0 && values[wizard.FieldSMTPHost] != "":
		target.Provider, target.Address = "custom", values[wizard.FieldFrom]
		if target.Address == "" && strings.Contains(values[wizard.FieldUser], "@") {
			target.Address = values[wizard.FieldUser]
		}
	default:
		target, err = a.targetOfProfile(ctx, args)
	}
	if err != nil {
		return target, err
	}
	applySettings(&target, values)
	if target.Submission.Host == "" {
		return target, a.fault(exitData, "error.no-servers", "address", safetext.FromRemote(target.Address))
	}
	return target, nil
}

func (a *app) targetOfProfile(ctx context.Context, args []string) (diagnostics.Target, error) {
	doc, err := a.document()
	if err != nil {
		return diagnostics.Target{}, err
	}
	name, p, err := a.profileNamed(doc, args)
	if err != nil {
		return diagnostics.Target{}, err
	}
	target := diagnostics.Target{
		Address: p.From.Address, From: p.From.Address, Profile: name, Provider: p.Provider, Submission: p.Submission,
		IMAP: p.SentCopy.IMAP, SentMode: p.SentCopy.Mode, SentFolder: p.SentCopy.Folder, SecretType: p.Credential.Type,
		Pins: p.TLS.PinSHA256, AllowCleartext: p.Insecure,
	}
	setup.DescribeProvider(&target, a.book())
	if p.Submission.Auth == config.MechanismNone || p.Credential.Kind == config.CredentialAsk {
		return target, nil
	}
	target.Secret, err = credential.For(doc.Path).Resolve(ctx, name, p)
	return target, err
}

// targetOfAddress takes the servers from the preset of the domain, or of its MX.
func (a *app) targetOfAddress(ctx context.Context, address string, values map[wizard.FieldID]string) (diagnostics.Target, error) {
	if err := a.checkGiven(address, nil); err != nil {
		return diagnostics.Target{}, err
	}
	target := diagnostics.Target{Address: address, Provider: "custom"}
	if values[wizard.FieldSMTPHost] != "" {
		return target, nil
	}
	network, err := a.network()
	if err != nil {
		return target, err
	}
	worker := &setup.Worker{Network: network, Book: a.book()}
	candidates := worker.Candidates(ctx, address)
	if len(candidates) == 0 {
		return target, nil
	}
	best := candidates[0]
	target.Provider, target.Submission, target.IMAP = best.Provider, best.Submission, best.IMAP
	target.SentMode, target.SecretType = best.SentMode, best.Credential
	setup.DescribeProvider(&target, a.book())
	return target, nil
}

// applySettings lets flags win over what was found.
func applySettings(t *diagnostics.Target, values map[wizard.FieldID]string) {
	set := func(id wizard.FieldID, to *string) {
		if v, ok := values[id]; ok {
			*to = v
		}
	}
	set(wizard.FieldSMTPHost, &t.Submission.Host)
	if text, ok := values[wizard.FieldSMTPPort]; ok {
		port, _ := config.ParsePortField(text)
		port.Apply(&t.Submission, new(config.Batch))
	}
	if v, ok := values[wizard.FieldSMTPSecurity]; ok {
		t.Submission.Security = config.Security(v)
	}
	if v, ok := values[wizard.FieldAuth]; ok {
		t.Submission.Auth = config.Mechanism(v)
	}
	if t.Submission.Security == "" {
		t.Submission.Security = config.SecurityAuto
	}
	if t.Submission.Auth == "" {
		t.Submission.Auth = config.MechanismAuto
	}
	if t.Submission.Username == "" {
		t.Submission.Username = t.Address
	}
	set(wizard.FieldUser, &t.Submission.Username)
	set(wizard.FieldHelo, &t.Submission.Helo)
	set(wizard.FieldFrom, &t.From)
	if host, ok := values[wizard.FieldIMAPHost]; ok && host != "" {
		t.IMAP = &config.Server{Host: host, Port: 993, Security: config.SecurityAuto, Auth: config.MechanismAuto, Username: t.Submission.Username}
	} else if ok {
		t.IMAP = nil
	}
	if t.IMAP != nil {
		server := *t.IMAP
		if text, ok := values[wizard.FieldIMAPPort]; ok {
			server.Port, _ = config.ParsePort(text)
		}
		if v, ok := values[wizard.FieldIMAPSecurity]; ok {
			server.Security = config.Security(v)
		}
		set(wizard.FieldIMAPUser, &server.Username)
		t.IMAP = &server
	}
	set(wizard.FieldSentFolder, &t.SentFolder)
	if v, ok := values[wizard.FieldSentCopy]; ok {
		t.SentMode = config.SentMode(v)
	}
}

// askSecret asks on a terminal when a sign-in is wanted and no secret is there. Without a terminal the sign-in is left out.
func (a *app) askSecret(ctx context.Context, t *diagnostics.Target, o *diagnoseOptions) error {
	if t.Submission.Auth == config.MechanismNone || !t.Secret.Empty() || onlyArea(o.only, "dns") {
		return nil
	}
	if !a.interactive() || a.json {
		t.Submission.Auth = config.MechanismNone
		t.IMAP = nil
		a.note(a.t("diagnose.no-secret"))
		return nil
	}
	value, err := plain.ReadSecret(ctx, a.in, a.err, a.t("diagnose.prompt", "user", safetext.FromRemote(t.Submission.Username), "host", safetext.FromRemote(t.Submission.Host)))
	if err != nil {
		return err
	}
	t.Secret = value
	if value.Empty() {
		t.Submission.Auth, t.IMAP = config.MechanismNone, nil
	}
	return nil
}

// onlyArea reports whether --only names nothing but checks of one area.
func onlyArea(only []string, area string) bool {
	return len(only) > 0 && !slices.ContainsFunc(only, func(id string) bool { return id != area && !strings.HasPrefix(id, area+".") })
}

// chosen keeps the checks that --only names, by id or by area, and what they need.
func chosen(only []string, plans []diagnostics.Plan) []diagnostics.Plan {
	if len(only) == 0 {
		return plans
	}
	wanted := map[diagnostics.ID]bool{}
	needs := map[diagnostics.ID][]diagnostics.ID{}
	var want func(diagnostics.ID)
	want = func(id diagnostics.ID) {
		if !wanted[id] {
			wanted[id] = true
			for _, need := range needs[id] {
				want(need)
			}
		}
	}
	for _, p := range plans {
		for _, c := range p.Checks {
			needs[c.ID] = append(slices.Clone(c.Needs), c.After...)
		}
	}
	for id := range needs {
		for _, name := range only {
			if string(id) == name || strings.HasPrefix(string(id), name+".") {
				want(id)
			}
		}
	}
	for i := range plans {
		plans[i].Checks = slices.DeleteFunc(slices.Clone(plans[i].Checks), func(c diagnostics.Check) bool { return !wanted[c.ID] })
	}
	return plans
}

// diagnosed runs the plans and shows the results: JSON at the end, or plain lines, each check as soon as it has ended.
func (a *app) diagnosed(ctx context.Context, o *diagnoseOptions, target diagnostics.Target, plans ...diagnostics.Plan) error {
	if err := a.knownChecks(o.only); err != nil {
		return err
	}
	info := report.Info{Version: version, Started: time.Now(), Target: target, Lang: a.lang(), Transcript: o.transcript, Verbose: a.verbose}
	var mu sync.Mutex
	var observe func(diagnostics.Event)
	live := plain.IsTerminal(a.out) && !a.json
	if live {
		observe = func(e diagnostics.Event) {
			if e.Result == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, line := range report.Lines(info, *e.Result) {
				a.println(line)
			}
		}
	}
	results := diagnostics.Run(ctx, observe, chosen(o.only, plans)...)
	info.Took = time.Since(info.Started)
	var err error
	switch {
	case a.json:
		err = report.JSON(a.out, info, results)
	case live:
		a.println("")
		for _, line := range report.Closing(a.lang(), results) {
			a.println(line)
		}
	default:
		err = report.Text(a.out, info, results)
	}
	if err != nil {
		return err
	}
	if code := report.ExitCode(results); code != exitOK {
		return quiet(code)
	}
	return nil
}

func (a *app) knownChecks(only []string) error {
	for _, name := range only {
		if !slices.ContainsFunc(diagnostics.AllIDs(), func(id diagnostics.ID) bool {
			return string(id) == name || strings.HasPrefix(string(id), name+".")
		}) {
			return usagef(a.t("error.check", "name", safetext.FromRemote(name)))
		}
	}
	return nil
}

// diagnoseServer is `diagnose smtp HOST[:PORT]` and `diagnose imap HOST[:PORT]`.
func (a *app) diagnoseServer(area string) *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: area + " HOST[:PORT]", Short: a.t("short.diagnose-" + area), Args: a.args(1, 1)}
	a.diagnoseFlags(cmd, o)
	values, secrets := a.settingFlags(cmd), a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		given := values.given()
		if err := a.checkGiven("", given); err != nil {
			return err
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		host, port, err := a.hostPort(args[0])
		if err != nil {
			return err
		}
		target := diagnostics.Target{Address: given[wizard.FieldFrom], AllowCleartext: o.cleartext}
		if target.Address == "" && strings.Contains(given[wizard.FieldUser], "@") {
			target.Address = given[wizard.FieldUser]
		}
		if target.Secret, err = secrets.read(ctx, a); err != nil {
			return err
		}
		return a.runServer(ctx, o, area, network, target, host, port, given)
	}
	return cmd
}

func (a *app) runServer(ctx context.Context, o *diagnoseOptions, area string, network *wire.Network, target diagnostics.Target, host string, port int, given map[wizard.FieldID]string) error {
	server := config.Server{Host: host, Port: port, Security: config.SecurityAuto, Auth: config.MechanismAuto, Username: target.Address}
	if target.Secret.Empty() {
		server.Auth = config.MechanismNone
	}
	if area == "smtp" {
		target.Submission = server
		applySettings(&target, given)
		return a.diagnosed(ctx, o, target, smtp.Plan(network, target, smtp.Options{}))
	}
	if server.Port == 0 {
		server.Port = 993
	}
	target.IMAP = &server
	target.Submission.Username = target.Address
	applySettings(&target, given)
	if user := given[wizard.FieldUser]; user != "" && given[wizard.FieldIMAPUser] == "" {
		target.IMAP.Username = user
	}
	plan := imap.Plan(network, target, imap.Options{Lang: a.lang()})
	if target.Secret.Empty() {
		// Without a secret only what stands before the sign-in can be judged.
		plan.Checks = slices.DeleteFunc(plan.Checks, func(c diagnostics.Check) bool {
			return !slices.Contains([]diagnostics.ID{diagnostics.IMAPConnect, diagnostics.IMAPTLS, diagnostics.IMAPCertificate}, c.ID)
		})
	}
	target.Submission = config.Server{}
	return a.diagnosed(ctx, o, target, plan)
}

// hostPort reads HOST or HOST:PORT; port is 0 when it is left out.
func (a *app) hostPort(text string) (string, int, error) {
	host, portText := text, ""
	if at := strings.LastIndexByte(text, ':'); at >= 0 && (strings.Count(text, ":") == 1 || strings.HasSuffix(text[:at], "]")) {
		host, portText = text[:at], text[at+1:]
	}
	if v := config.ValidateHost(host); !v.Empty() {
		return "", 0, &exitError{exitData, a.say(v)}
	}
	if portText == "" {
		return host, 0, nil
	}
	port, fault := config.ParsePort(portText)
	if !fault.Empty() {
		return "", 0, &exitError{exitData, a.say(fault)}
	}
	return host, port, nil
}

func (a *app) diagnoseDNS() *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: "dns DOMAIN", Short: a.t("short.diagnose-dns"), Args: a.args(1, 1)}
	cmd.Flags().StringSliceVar(&o.only, "only", nil, a.t("flag.only"))
	cmd.Flags().StringArrayVar(&o.selectors, "selector", nil, a.t("flag.selector"))
	cmd.Flags().StringVar(&o.ip, "ip", "", a.t("flag.ip"))
	provider := cmd.Flags().String("provider", "", a.t("flag.provider"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if v := config.ValidateDomain(args[0]); !v.Empty() {
			return &exitError{exitData, a.say(v)}
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		options := dns.Options{Domain: args[0], Selectors: o.selectors, GuessSelectors: len(o.selectors) == 0}
		if o.ip != "" {
			if options.IP, err = netip.ParseAddr(o.ip); err != nil {
				return a.fault(exitData, "error.ip", "value", safetext.FromRemote(o.ip))
			}
		}
		target := diagnostics.Target{Provider: *provider}
		setup.DescribeProvider(&target, a.book())
		return a.diagnosed(cmd.Context(), o, target, dns.Plan(network, target, options))
	}
	return cmd
}
