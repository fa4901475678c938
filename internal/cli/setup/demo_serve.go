package setup

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

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
	}
	if err := f.Result(s, func() { s.print(f, filepath.Join(folder, "config.json")) }); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// print shows the servers, and commands that can be pasted.
func (s *served) print(f *command.Factory, path string) {
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
	program := strings.Join([]string{
		command.Program(path), "--resolver", s.Resolver, "--ca-file", command.ShellWord(s.CAFile),
	}, " ")
	f.Println("  " + program + " setup " + account.Address + " --yes --password-file " +
		command.ShellWord(account.PasswordFile) + flagsOf("smtp", s.SMTP[0]) + flagsOf("imap", s.IMAP[0]))
	f.Println("  " + program + " diagnose")
}

// flagsOf name a server: the one that the name service announces belongs to another domain than the address, about
// which a person would have to be asked.
func flagsOf(protocol string, e rehearsal.Endpoint) string {
	return fmt.Sprintf(" --%[1]s-host %[2]s --%[1]s-port %[3]d --%[1]s-security %[4]s",
		protocol, e.Host, e.Port, e.Security)
}
