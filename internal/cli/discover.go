package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/discovery"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Exit codes of docs/reference.md §4 that say what is wrong with the address's domain.
const (
	exitNoHost      = 68
	exitUnavailable = 69
)

func (a *app) discoverCommand() *cobra.Command {
	offline := false
	cmd := &cobra.Command{Use: "discover ADDRESS | -", Short: a.T("discovery.short"), Args: a.args(1, 1)}
	cmd.Flags().BoolVar(&offline, "offline", false, a.T("discovery.flag.offline"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		network, err := a.network()
		if err != nil {
			return err
		}
		if args[0] == "-" {
			return a.discoverLines(cmd.Context(), network, offline)
		}
		if a.interactive() && !a.json && !offline {
			a.note(a.T("discovery.searching", "domain", safetext.FromRemote(config.AddressDomain(args[0]))))
		}
		result := a.discovered(cmd.Context(), network, args[0], offline)
		if a.json {
			if err := a.printJSON(result); err != nil {
				return err
			}
		} else {
			a.printDiscovered(result)
		}
		return result.failure()
	}
	return cmd
}

// discovered is the JSON of the contract. Suggestion and Error are there only when there is something to say.
type discovered struct {
	Address    safetext.Remote       `json:"address"`
	Suggestion string                `json:"suggestion,omitempty"`
	Candidates []discoveredCandidate `json:"candidates"`
	Error      *discoverError        `json:"error,omitempty"`

	cancelled bool
}

type discoverError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type discoveredCandidate struct {
	Provider   string             `json:"provider"`
	Name       string             `json:"name"`
	Origin     discovery.Origin   `json:"origin"`
	Via        string             `json:"via,omitempty"`
	Confidence string             `json:"confidence"`
	Checked    string             `json:"checked,omitempty"`
	Confirm    []discovery.Reason `json:"confirm,omitempty"`
	SMTP       []discoveredServer `json:"smtp"`
	IMAP       []discoveredServer `json:"imap"`
	Credential config.SecretType  `json:"credential"`
	SentCopy   config.SentMode    `json:"sent_copy"`
	Notes      []string           `json:"notes"`
}

type discoveredServer struct {
	Host      string             `json:"host"`
	Port      int                `json:"port"`
	Security  config.Security    `json:"security"`
	Auth      []config.Mechanism `json:"auth"`
	Username  string             `json:"username"`
	Source    discovery.Source   `json:"source"`
	Ask       []string           `json:"ask,omitempty"`
	Cleartext bool               `json:"cleartext,omitempty"`
}

// failure is the end of the run: the sentence was printed as part of the result in JSON, and goes to standard error
// too.
func (d discovered) failure() error {
	switch {
	case d.cancelled:
		return context.Canceled
	case d.Error != nil:
		return &exitError{d.Error.Code, d.Error.Message}
	}
	return nil
}

func (a *app) discovered(ctx context.Context, network *wire.Network, address string, offline bool) discovered {
	shown := safetext.FromRemote(address)
	out := discovered{Address: shown, Candidates: []discoveredCandidate{}}
	if text := config.ValidateAddress(address); !text.Empty() {
		out.Error = &discoverError{exitData, a.Say(text)}
		return out
	}
	domain := config.AddressDomain(address)
	if suggestion, ok := a.book().Typo(domain); ok {
		out.Suggestion = address[:len(address)-len(domain)] + suggestion
	}
	candidates, err := discovery.Find(ctx, network, a.book(), address, discovery.Options{Offline: offline})
	remote := safetext.FromRemote(domain)
	switch {
	case errors.Is(err, discovery.ErrAddress):
		out.Error = &discoverError{exitData, a.Say(config.ValidateDomain(domain))}
	case errors.Is(err, discovery.ErrNoDomain):
		out.Error = &discoverError{exitNoHost, a.T("discovery.no-domain", "domain", remote)}
	case errors.Is(err, discovery.ErrUnreachable):
		out.Error = &discoverError{exitUnavailable, a.T("discovery.unreachable", "domain", remote)}
	case err != nil:
		out.cancelled = true
	case len(candidates) == 0 && offline:
		out.Error = &discoverError{exitFailed, a.T("discovery.nothing-offline", "domain", remote)}
	case len(candidates) == 0:
		out.Error = &discoverError{exitFailed, a.T("discovery.nothing", "address", shown)}
	}
	for _, c := range candidates {
		out.Candidates = append(out.Candidates, a.discoveredCandidate(c))
	}
	return out
}

func (a *app) discoveredCandidate(c discovery.Candidate) discoveredCandidate {
	out := discoveredCandidate{
		Provider: c.Provider, Name: c.Name, Origin: c.Origin, Via: c.Via, Confidence: string(c.Confidence),
		Checked: c.Checked,
		Confirm: c.Confirm, SMTP: discoveredServers(c.SMTP), IMAP: discoveredServers(c.IMAP), Credential: c.Credential,
		SentCopy: c.SentCopy, Notes: []string{},
	}
	if p, ok := a.book().Get(c.Provider); ok {
		out.Name = p.NameIn(a.lang())
	}
	for _, n := range c.Notes {
		out.Notes = append(out.Notes, n.In(a.lang()))
	}
	return out
}

func discoveredServers(list []discovery.Server) []discoveredServer {
	out := []discoveredServer{}
	for _, s := range list {
		auth := s.Mechanisms
		if auth == nil {
			auth = []config.Mechanism{}
		}
		out = append(out, discoveredServer{
			Host: s.Host, Port: s.Port, Security: s.Security, Auth: auth, Username: s.Username, Source: s.Source, Ask: s.Ask,
			Cleartext: s.Cleartext,
		})
	}
	return out
}

// printDiscovered shows the best candidate in full and the others by name.
func (a *app) printDiscovered(d discovered) {
	if d.Suggestion != "" {
		a.println(a.T("discovery.note.typo", "suggestion", safetext.FromRemote(d.Suggestion)))
	}
	for i, c := range d.Candidates {
		if i > 0 {
			a.println("")
		}
		a.printCandidate(c)
	}
}

func (a *app) printCandidate(c discoveredCandidate) {
	detail := a.T("discovery.confidence." + c.Confidence)
	if c.Checked != "" {
		detail += ", " + a.T("discovery.checked", "date", c.Checked)
	}
	a.println(c.Name + " (" + c.Provider + "): " + detail)
	a.println("  " + a.T("discovery.origin."+string(c.Origin), "via", c.Via))
	for _, list := range []struct {
		key     string
		servers []discoveredServer
	}{{"discovery.submission", c.SMTP}, {"discovery.imap", c.IMAP}} {
		for _, s := range list.servers {
			a.println("  " + a.T(list.key, "host", s.Host, "port", s.Port, "security",
				a.T("discovery.security."+string(s.Security))) +
				" · " + a.T("discovery.source."+string(s.Source)))
		}
	}
	if len(c.SMTP) > 0 && c.SMTP[0].Username != "" {
		a.println("  " + a.T("discovery.user", "user", safetext.FromRemote(c.SMTP[0].Username)))
	}
	if len(c.Confirm) > 0 {
		a.println("  " + a.T("discovery.confirm"))
		for _, r := range c.Confirm {
			a.paragraph("- " + a.Say(r.Text()))
		}
	}
	for _, n := range c.Notes {
		a.paragraph("- " + n)
	}
}

const (
	// discoverWorkers bounds the searches at a time: each asks about twenty questions.
	discoverWorkers = 4
	// maxLine is longer than every address (RFC 5321 §4.5.3.1.3) with its JSON around it.
	maxLine = 4 << 10
)

// discoverLines reads addresses, one a line, bare or as JSON objects with "address", and prints one JSON object a line
// in the same order. The exit code is that of the first address without an answer.
func (a *app) discoverLines(ctx context.Context, network *wire.Network, offline bool) error {
	jobs := make(chan chan discovered, discoverWorkers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading error
	go func() {
		defer close(jobs)
		lines := bufio.NewScanner(a.in)
		lines.Buffer(make([]byte, maxLine), maxLine)
		number := 0
		for lines.Scan() {
			number++
			line := strings.TrimSpace(lines.Text())
			if line == "" {
				continue
			}
			result := make(chan discovered, 1)
			select {
			case jobs <- result:
			case <-ctx.Done():
				return
			}
			at := number
			go func() { result <- a.discoverLine(ctx, network, line, at, offline) }()
		}
		reading = lines.Err()
	}()
	var first error
	var once sync.Once
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	for result := range jobs {
		d := <-result
		if err := encoder.Encode(d); err != nil {
			return err
		}
		if err := d.failure(); err != nil {
			once.Do(func() { first = err })
		}
	}
	if reading != nil {
		return a.Fault(exitData, "cli.error.argument", "argument", safetext.FromRemote(reading.Error()))
	}
	return first
}

func (a *app) discoverLine(ctx context.Context, network *wire.Network, line string, number int,
	offline bool,
) discovered {
	address := line
	if strings.HasPrefix(line, "{") {
		var given struct {
			Address string `json:"address"`
		}
		if err := json.Unmarshal([]byte(line), &given); err != nil || given.Address == "" {
			return discovered{
				Address: safetext.FromRemote(line), Candidates: []discoveredCandidate{},
				Error: &discoverError{exitData, a.T("discovery.bad-line", "line", number)},
			}
		}
		address = given.Address
	}
	return a.discovered(ctx, network, address, offline)
}
