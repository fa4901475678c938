package export

import (
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// absolute resolves a path of the configuration, which may be relative to its folder.
func (s source) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.options.Config), path)
}

// ownRoots is the file of the profile's own authority, or "" where no certificate is checked.
func (s source) ownRoots() string {
	if s.security() == config.SecurityNone {
		return ""
	}
	return s.absolute(s.profile.TLS.CAFile)
}

// authority are the certificates of the profile's own authority, for formats that hold them; there is none without
// ownRoots. Whatever else is in the file is left out.
func (s source) authority() ([]*pem.Block, error) {
	if s.ownRoots() == "" {
		return nil, nil
	}
	var found []*pem.Block
	for block, rest := pem.Decode(s.options.Authority); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			found = append(found, &pem.Block{Type: block.Type, Bytes: block.Bytes})
		}
	}
	if len(found) == 0 {
		return nil, s.refuse("tls.ca_file", "config.export.no_authority", "path", safetext.FromRemote(s.ownRoots()))
	}
	return found, nil
}

// authorityPEM are these certificates in PEM form (RFC 7468), or "".
func (s source) authorityPEM() (string, error) {
	blocks, err := s.authority()
	var b strings.Builder
	for _, block := range blocks {
		b.Write(pem.EncodeToMemory(block))
	}
	return b.String(), err
}

// secretCommand is the argument list that prints the secret of the profile.
func (s source) secretCommand() []string {
	argv := []string{s.options.Program}
	if !s.options.DefaultConfig {
		argv = append(argv, "--config", s.options.Config)
	}
	return append(argv, "secret", "get", s.name)
}

// shellFree are the characters that no shell gives a meaning to, at least not inside a word that begins with another
// one.
const shellFree = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,@:"

// shellCommand joins an argument list for a program that runs it through a shell. It refuses what would need quoting,
// because two layers of quotes (the other program's and the shell's) cannot be relied on.
func shellCommand(format string, argv []string) (string, error) {
	if !filepath.IsAbs(argv[0]) {
		return "", &Error{format, "", locale.Msg("config.export.program", "path", safetext.FromRemote(argv[0]))}
	}
	for _, word := range argv {
		if word == "" || strings.Trim(word, shellFree) != "" {
			return "", &Error{format, "", locale.Msg("config.export.path", "path", safetext.FromRemote(word))}
		}
	}
	return strings.Join(argv, " "), nil
}

// command is the line that prints the secret, for a program that runs it through a shell.
func (s source) command() (string, error) { return shellCommand(s.format, s.secretCommand()) }

// reference says where the secret comes from: its file if it has one, otherwise an argument list that prints it on the
// first line. One of the two is empty.
func (s source) reference() (file string, argv []string) {
	if s.profile.Credential.Kind == config.CredentialFile {
		return s.absolute(s.profile.Credential.Path), nil
	}
	return "", s.secretCommand()
}

// secretFile is for formats that read the secret from a file and in no other way.
func (s source) secretFile() (string, error) {
	file, _ := s.reference()
	if file == "" {
		return "", s.refuse("credential", "config.export.file_only", "profile", s.name)
	}
	return file, nil
}

// sedJSON is a program of sed(1) that escapes the text of a JSON string without control characters.
const sedJSON = `s/[\\"]/\\&/g`

// controlCharacters are refused by all scripts that write a secret in the syntax of a program: most have no way to
// write them. It is a regular expression of grep(1).
const controlCharacters = "[[:cntrl:]]"

// secretScript is a script for programs that read the secret neither from a file nor from a command. It prints the
// secret in the program's syntax, for the file named in its comment; without an escape, which is a program of sed(1)
// with extended regular expressions, it prints the secret alone, without a line end. A secret that holds one of the
// regular expressions is refused. Only built-in commands of the shell get the secret as an argument.
func (s source) secretScript(path, place, escape, before, after string, refused ...string) template {
	text := `#!/bin/sh
# Prints the password for ` + place + `. Run it again whenever the password has changed.
set -eu
password=$({=words})
`
	if escape == "" {
		text += "printf %s \"$password\"\n"
	} else {
		text += "if printf '%s\\n' \"$password\" | LC_ALL=C grep -Eq " +
			shellQuote(strings.Join(append(refused, controlCharacters), "|")) + "; then\n" +
			"  echo 'The password has characters that " + place + " cannot hold. Please choose another one.' >&2\n" +
			"  exit 65\nfi\n" +
			"password=$(printf '%s\\n' \"$password\" | sed -E " + shellQuote(escape) + ")\n" +
			"printf '%s%s%s\\n' " + shellQuote(before) + ` "$password" ` + shellQuote(after) + "\n"
	}
	return template{"{?auth}" + path, nil, text}
}

// inline is the secret itself, when it was asked for.
func (s source) inline() (string, bool) {
	return s.options.InlineSecret.Reveal(), !s.options.InlineSecret.Empty()
}

// mechanism is the one that the profile requires, or "".
func (s source) mechanism() config.Mechanism {
	if auth := s.profile.Submission.Auth; auth != config.MechanismAuto && auth != config.MechanismNone {
		return auth
	}
	return ""
}

// host is the server in the form for DNS and TLS.
func (s source) host() string {
	host, _ := config.HostASCII(s.profile.Submission.Host)
	return host
}

// from is the author's address with an ASCII domain.
func (s source) from() string { return config.AddressASCIIDomain(s.profile.From.Address) }

// inBrackets puts an IPv6 address into brackets, for URLs and host:port (RFC 3986 §3.2.2).
func inBrackets(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

const secretHeader = "contains a secret"

func pathText(path string) locale.Text {
	return locale.Msg("config.export.path", "path", safetext.FromRemote(path))
}
