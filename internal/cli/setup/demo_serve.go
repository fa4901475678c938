package setup

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/rehearsal"
)

// served is what `demo --serve --json` prints: all that another process needs to use the servers.
type served struct {
	Domain   string               `json:"domain"`
	Resolver string               `json:"resolver"`
	CAFile   string               `json:"ca_file"`
	Accounts []servedAccount      `json:"accounts"`
	SMTP     []rehearsal.Endpoint `json:"smtp"`
	IMAP     []rehearsal.Endpoint `json:"imap"`
	// Environment makes every command use these servers, and a configuration of their own.
	Environment map[string]string `json:"environment"`
}

// servedAccount has a password that opens nothing outside this process, and is therefore shown.
type servedAccount struct {
	Address      string `json:"address"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	PasswordFile string `json:"password_file"`
}

// serveDemo keeps the servers up until the context ends, which is how it is meant to end.
func serveDemo(ctx context.Context, f *command.Factory, provider *rehearsal.Provider, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	passwords := filepath.Join(folder, "password")
	if err := os.WriteFile(passwords, []byte(provider.Typed.Reveal()+"\n"), 0o600); err != nil {
		return err
	}
	authority, err := provider.CAFile(folder)
	if err != nil {
		return err
	}
	s := served{
		Domain: rehearsal.Domain, Resolver: provider.DNSAddr(), CAFile: authority,
		Accounts: []servedAccount{{provider.Address, provider.Address, provider.Typed.Reveal(), passwords}},
		SMTP:     provider.SMTPEndpoints(), IMAP: provider.IMAPEndpoints(),
		Environment: map[string]string{
			"POSTIER_CONFIG":   filepath.Join(folder, "config.json"),
			"POSTIER_RESOLVER": provider.DNSAddr(),
			"POSTIER_CA_FILE":  authority,
		},
	}
	if err := f.Result(s, func() { s.print(f) }); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// print shows the servers, and commands that can be pasted.
func (s *served) print(f *command.Factory) {
	account := s.Accounts[0]
	f.Println(f.T("cli.demo.account", "address", account.Address, "password", account.Password))
	for _, protocol := range []struct {
		name string
		list []rehearsal.Endpoint
	}{{"SMTP", s.SMTP}, {"IMAP", s.IMAP}} {
		for _, e := range protocol.list {
			f.Println(protocol.name + "  " + net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) + "  " + string(e.Security))
		}
	}
	f.Println("DNS   " + s.Resolver)
	f.Println("CA    " + s.CAFile)
	f.Prose(f.T("cli.demo.serve"))
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		f.Println("  " + assignment(name, s.Environment[name]))
	}
	f.Prose(f.T("cli.demo.serve.example"))
	f.Println("  " + config.Program + " setup " + account.Address + " --yes --password-file " +
		command.ShellWord(account.PasswordFile))
	f.Println("  " + config.Program + " diagnose")
}

// assignment sets a variable for the commands that follow, as the usual shell of the system writes it.
func assignment(name, value string) string {
	if runtime.GOOS == "windows" {
		return "$env:" + name + " = '" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return "export " + name + "=" + command.ShellWord(value)
}
