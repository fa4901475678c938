package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var symfonyFormat = Format{
	Name: "symfony", Summary: locale.Msg("config.export.symfony"), secret: inlineToo,
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesCAFile, write: writeSymfony,
}

// writeSymfony writes the mailer's configuration, whose DSN takes the secret from its file (the processors file, trim
// and urlencode, Symfony 7.1), or MAILER_DSN for .env.local with the secret inside. A DSN has no way to name an
// authority, and its option require_tls is ignored before Symfony 7.3: a class does both.
func writeSymfony(s source) ([]Artifact, error) {
	if err := s.implicitOn465(); err != nil {
		return nil, err
	}
	secret, inline := s.inline()
	if inline {
		secret = ":" + percentEncode(secret)
	}
	password := ""
	if s.hasPassword() {
		password = ":%env(urlencode:trim:file:SMTP_PASSWORD_FILE)%"
	}
	author, err := s.symfonyMailbox()
	if err != nil {
		return nil, err
	}
	factory := ""
	if s.ownRoots() != "" || s.security() == config.SecurityStartTLS {
		factory = "profile+"
	}
	dsn := factory + s.mailerDSN("\x00")
	words := map[string]string{
		"dsn":       strings.Replace(dsn, "\x00", secret, 1),
		"configdsn": jsonQuote(strings.Replace(strings.ReplaceAll(dsn, "%", "%%"), "\x00", password, 1)),
		"factory":   factory,
		"author":    author,
	}
	// Single quotes in .env files keep every character, and percent encoding removes the single quotes from the value.
	return s.fill(words, template{"{?inline}.env.local", nil, `# {=secretheader}
MAILER_DSN='{=dsn}'
`}, template{"{^inline}config/packages/postier_mailer.yaml", all(symfonyQuote), `{?auth}parameters:
{?auth}    env(SMTP_PASSWORD_FILE): {secretfile}
framework:
    mailer:
        dsn: {=configdsn}
        headers:
            From: {author}
            Reply-To: {reply}
` + symfonyService}, template{"{?inline}{?factory}config/packages/postier_mailer.yaml", nil, symfonyService},
		template{"{?factory}src/Mailer/ProfileTransportFactory.php", all(singleQuote), symfonyFactory})
}

// symfonyTooOld is for whoever has a version that would send without encryption.
const symfonyTooOld = "symfony/mailer before version 7.3 cannot insist on STARTTLS"

const symfonyService = `{?factory}services:
{?factory}    postier.mailer.transport_factory:
{?factory}        class: App\Mailer\ProfileTransportFactory
{?factory}        parent: mailer.transport_factory.abstract
{?factory}        tags: [mailer.transport_factory]
`

const symfonyFactory = `<?php

namespace App\Mailer;

use Symfony\Component\Mailer\Transport\AbstractTransportFactory;
use Symfony\Component\Mailer\Transport\Dsn;
use Symfony\Component\Mailer\Transport\Smtp\EsmtpTransportFactory;
use Symfony\Component\Mailer\Transport\TransportInterface;

// profile+smtp and profile+smtps are smtp and smtps with what their DSN cannot say.
final class ProfileTransportFactory extends AbstractTransportFactory
{
    public function create(Dsn $dsn): TransportInterface
    {
        $factory = new EsmtpTransportFactory($this->dispatcher, $this->client, $this->logger);
        $transport = $factory->create(new Dsn(
            substr($dsn->getScheme(), strlen('profile+')),
            $dsn->getHost(),
            $dsn->getUser(),
            $dsn->getPassword(),
            $dsn->getPort(),
            ['local_domain' => $dsn->getOption('local_domain')]
        ));
{?starttls}        if (!method_exists($transport, 'setRequireTls')) {
{?starttls}            throw new \LogicException('` + symfonyTooOld + `');
{?starttls}        }
{?starttls}        $transport->setRequireTls(true);
{?ca}        $stream = $transport->getStream();
{?ca}        $stream->setStreamOptions(array_replace_recursive(
{?ca}            $stream->getStreamOptions(),
            ['ssl' => ['cafile' => {ca}]]
{?ca}        ));

        return $transport;
    }

    protected function getSupportedSchemes(): array
    {
        return ['profile+smtp', 'profile+smtps'];
    }
}
`

// symfonyMailbox is the author as Symfony reads it: without escapes, the name up to the first <, and without the quotes
// and blanks at its ends.
func (s source) symfonyMailbox() (string, error) {
	name := s.profile.From.Name
	if strings.Contains(name, "<") || strings.Trim(name, ` '"`) != name {
		return "", s.cannotHold("from.name")
	}
	if name == "" {
		return s.from(), nil
	}
	return name + " <" + s.from() + ">", nil
}

// mailbox is the author with the name, as RFC 5322 §3.4 writes it.
func (s source) mailbox() string {
	if s.profile.From.Name == "" {
		return s.from()
	}
	return quotedPhrase(s.profile.From.Name) + " <" + s.from() + ">"
}

// symfonyQuote writes a string of a Symfony configuration, where % begins a parameter and %% is one.
func symfonyQuote(value string) string { return jsonQuote(strings.ReplaceAll(value, "%", "%%")) }

// mailerDSN is the transport as Symfony's mailer writes it.
func (s source) mailerDSN(password string) string {
	p := s.profile
	scheme, query := "smtp", []string{}
	switch s.security() {
	case config.SecurityTLS:
		scheme = "smtps"
	case config.SecurityStartTLS:
		query = append(query, "require_tls=true")
	default:
		query = append(query, "auto_tls=false")
	}
	if p.Submission.Helo != "" {
		query = append(query, "local_domain="+percentEncode(p.Submission.Helo))
	}
	user := ""
	if s.hasPassword() {
		user = percentEncode(p.Submission.Username) + password + "@"
	}
	dsn := fmt.Sprintf("%s://%s%s:%d", scheme, user, inBrackets(s.host()), p.Submission.Port)
	if len(query) > 0 {
		dsn += "?" + strings.Join(query, "&")
	}
	return dsn
}
