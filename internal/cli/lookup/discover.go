// Package lookup holds the commands that answer without an account: where an address is served (discover), what a code
// or a reply means (explain), and what to do at a provider (guide).
package lookup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/discovery"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// DiscoverOptions are the flags and arguments of `postier discover`.
type DiscoverOptions struct {
	*command.Factory
	Address string // "-": many, from standard input
	Offline bool
}

// NewDiscover is `postier discover`.
func NewDiscover(f *command.Factory, run command.Run[*DiscoverOptions]) *cobra.Command {
	o := &DiscoverOptions{Factory: f}
	cmd := command.New(f, "discover ADDRESS | -", "discovery.short", o, run.Or(runDiscover), &o.Address)
	cmd.Flags().BoolVar(&o.Offline, "offline", false, f.T("discovery.flag.offline"))
	return cmd
}

func runDiscover(ctx context.Context, o *DiscoverOptions) error {
	network, err := o.Network()
	if err != nil {
		return err
	}
	s := &search{DiscoverOptions: o, network: network}
	if o.Address == "-" {
		return s.lines(ctx)
	}
	if o.Interactive() && !o.JSON && !o.Offline {
		o.Note(o.T("discovery.searching", "domain", safetext.FromRemote(config.AddressDomain(o.Address))))
	}
	result := s.find(ctx, o.Address)
	if err := o.Result(result, func() { printAnswer(o.Factory, result) }); err != nil {
		return err
	}
	return result.failure()
}

// search looks for the servers of addresses.
type search struct {
	*DiscoverOptions
	network *wire.Network
}

// answer is the JSON of the contract. Suggestion and Error are there only when there is something to say.
type answer struct {
	Address    safetext.Remote   `json:"address"`
	Suggestion string            `json:"suggestion,omitempty"`
	Candidates []answerCandidate `json:"candidates"`
	Error      *answerError      `json:"error,omitempty"`

	cancelled bool
}

type answerError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type answerCandidate struct {
	Provider   string             `json:"provider"`
	Name       string             `json:"name"`
	Origin     discovery.Origin   `json:"origin"`
	Via        string             `json:"via,omitempty"`
	Confidence string             `json:"confidence"`
	Checked    string             `json:"checked,omitempty"`
	Confirm    []discovery.Reason `json:"confirm,omitempty"`
	SMTP       []answerServer     `json:"smtp"`
	IMAP       []answerServer     `json:"imap"`
	Credential config.SecretType  `json:"credential"`
	SentCopy   config.SentMode    `json:"sent_copy"`
	Notes      []string           `json:"notes"`
}

type answerServer struct {
	Host      string             `json:"host"`
	Port      int                `json:"port"`
	Security  config.Security    `json:"security"`
	Auth      []config.Mechanism `json:"auth"`
	Username  string             `json:"username"`
	Source    discovery.Source   `json:"source"`
	Ask       []string           `json:"ask,omitempty"`
	Cleartext bool               `json:"cleartext,omitempty"`
}

// failure is the error of the run: its sentence is part of the JSON result and is printed on standard error too.
func (d answer) failure() error {
	switch {
	case d.cancelled:
		return context.Canceled
	case d.Error != nil:
		return command.Failure(d.Error.Code, d.Error.Message)
	}
	return nil
}

// find searches for the servers of one address.
func (s *search) find(ctx context.Context, address string) answer {
	shown := safetext.FromRemote(address)
	out := answer{Address: shown, Candidates: []answerCandidate{}}
	refuse := func(code int, text string) { out.Error = &answerError{code, text} }
	if text := config.ValidateAddress(address); !text.Empty() {
		refuse(exitcode.Data, s.Say(text))
		return out
	}
	domain := config.AddressDomain(address)
	if suggestion, ok := s.Book().Typo(domain); ok {
		out.Suggestion = address[:len(address)-len(domain)] + suggestion
	}
	candidates, err := discovery.Find(ctx, s.network, s.Book(), address, discovery.Options{Offline: s.Offline})
	remote := safetext.FromRemote(domain)
	switch {
	case errors.Is(err, discovery.ErrAddress):
		refuse(exitcode.Data, s.Say(config.ValidateDomain(domain)))
	case errors.Is(err, discovery.ErrNoDomain), errors.Is(err, discovery.ErrUnreachable):
		refuse(command.Code(err), s.Sentence(err, "domain", remote).Error())
	case err != nil:
		out.cancelled = true
	case len(candidates) == 0 && s.Offline:
		refuse(exitcode.Failed, s.T("discovery.nothing-offline", "domain", remote))
	case len(candidates) == 0:
		refuse(exitcode.Failed, s.T("discovery.nothing", "address", shown))
	}
	for _, c := range candidates {
		out.Candidates = append(out.Candidates, s.candidate(c))
	}
	return out
}

func (s *search) candidate(c discovery.Candidate) answerCandidate {
	out := answerCandidate{
		Provider: c.Provider, Name: c.Name, Origin: c.Origin, Via: c.Via, Confidence: string(c.Confidence),
		Checked: c.Checked,
		Confirm: c.Confirm, SMTP: answerServers(c.SMTP), IMAP: answerServers(c.IMAP), Credential: c.Credential,
		SentCopy: c.SentCopy, Notes: []string{},
	}
	if p, ok := s.Book().Get(c.Provider); ok {
		out.Name = p.NameIn(s.Lang())
	}
	for _, n := range c.Notes {
		out.Notes = append(out.Notes, n.In(s.Lang()))
	}
	return out
}

func answerServers(list []discovery.Server) []answerServer {
	out := []answerServer{}
	for _, s := range list {
		auth := append([]config.Mechanism{}, s.Mechanisms...)
		out = append(out, answerServer{
			Host: s.Host, Port: s.Port, Security: s.Security, Auth: auth, Username: s.Username, Source: s.Source, Ask: s.Ask,
			Cleartext: s.Cleartext,
		})
	}
	return out
}

// printAnswer shows the best candidate in full and the others by name.
func printAnswer(f *command.Factory, d answer) {
	if d.Suggestion != "" {
		f.Println(f.T("discovery.note.typo", "suggestion", safetext.FromRemote(d.Suggestion)))
	}
	for i, c := range d.Candidates {
		if i > 0 {
			f.Println("")
		}
		printCandidate(f, c)
	}
}

func printCandidate(f *command.Factory, c answerCandidate) {
	detail := f.T("discovery.confidence." + c.Confidence)
	if c.Checked != "" {
		detail += ", " + f.T("discovery.checked", "date", c.Checked)
	}
	f.Println(c.Name + " (" + c.Provider + "): " + detail)
	f.Println("  " + f.T("discovery.origin."+string(c.Origin), "via", c.Via))
	for _, list := range []struct {
		key     string
		servers []answerServer
	}{{"discovery.submission", c.SMTP}, {"discovery.imap", c.IMAP}} {
		for _, s := range list.servers {
			f.Println("  " + f.T(list.key, "host", s.Host, "port", s.Port, "security",
				f.T("discovery.security."+string(s.Security))) +
				" · " + f.T("discovery.source."+string(s.Source)))
		}
	}
	if len(c.SMTP) > 0 && c.SMTP[0].Username != "" {
		f.Println("  " + f.T("discovery.user", "user", safetext.FromRemote(c.SMTP[0].Username)))
	}
	if len(c.Confirm) > 0 {
		f.Println("  " + f.T("discovery.confirm"))
		for _, r := range c.Confirm {
			f.Paragraph("- " + f.Say(r.Text()))
		}
	}
	for _, n := range c.Notes {
		f.Paragraph("- " + n)
	}
}

const (
	// discoverWorkers bounds the searches at a time: each asks about twenty questions.
	discoverWorkers = 4
	// maxLine is longer than every address (RFC 5321 §4.5.3.1.3) with its JSON around it.
	maxLine = 4 << 10
)

// lines reads addresses, one a line, bare or as JSON objects with "address", and prints one JSON object a line
// in the same order. The exit code is that of the first address without an answer.
func (s *search) lines(ctx context.Context) error {
	in := bufio.NewScanner(s.In)
	in.Buffer(make([]byte, maxLine), maxLine)
	lines := command.Lines{Parallel: discoverWorkers, Window: discoverWorkers, Clean: strings.TrimSpace}
	encoder := json.NewEncoder(s.Out)
	encoder.SetEscapeHTML(false)
	var first error
	reading, err := command.EachLine(ctx, in, lines, s.line, func(d answer, _ bool) error {
		if first == nil {
			first = d.failure()
		}
		return encoder.Encode(d)
	})
	switch {
	case err != nil:
		return err
	case reading != nil:
		return s.Fault(exitcode.Data, "cli.error.argument", "argument", safetext.FromRemote(reading.Error()))
	}
	return first
}

// line searches for the address of one line.
func (s *search) line(ctx context.Context, line string, number int) answer {
	address := line
	if strings.HasPrefix(line, "{") {
		var given struct {
			Address string `json:"address"`
		}
		if err := json.Unmarshal([]byte(line), &given); err != nil || given.Address == "" {
			return answer{
				Address: safetext.FromRemote(line), Candidates: []answerCandidate{},
				Error: &answerError{exitcode.Data, s.T("discovery.bad-line", "line", number)},
			}
		}
		address = given.Address
	}
	return s.find(ctx, address)
}
