package export

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var phpFormat = Format{
	Name: "php", Summary: locale.Msg("config.export.php"), carries: carriesEverything, write: writePHP, token: true,
}

// writePHP writes a file for PHP's conf.d that makes mail() hand every message to postier, so that limits, test mode
// and copies apply there too; and an example that sends with the profile's addresses.
func writePHP(s source) ([]Artifact, error) {
	argv := []string{s.options.Program}
	if !s.options.DefaultConfig {
		argv = append(argv, "--config", s.options.Config)
	}
	command, err := shellCommand(s.format, append(argv, "sendmail", "-t", "-i"))
	if err != nil {
		return nil, err
	}
	return s.fill(map[string]string{"sendmail": command}, template{
		"99-postier.ini", nil,
		`; PHP hands every message of mail() to postier.
sendmail_path = "{=sendmail}"
mail.add_x_header = Off
`,
	}, template{"{=profile}.php", all(singleQuote), `<?php
// An example: php {=profile}.php RECIPIENT
declare(strict_types=1);

$from = {from};
$name = {+name};
$replyTo = {+reply};

if ($argc !== 2) {
    fwrite(STDERR, "which recipient?\n");
    exit(64);
}
// RFC 2047: a name with other characters than letters of ASCII goes as base64.
$headers = ['From' => '=?UTF-8?B?' . base64_encode($name) . '?= <' . $from . '>', 'Content-Type' => 'text/plain; charset=UTF-8'];
if ($name === '') {
    $headers['From'] = $from;
}
if ($replyTo !== '') {
    $headers['Reply-To'] = $replyTo;
}
exit(mail($argv[1], 'Test', "A message by mail() of PHP.\n", $headers) ? 0 : 1);
`})
}

// What happens without the password: a script that sets something up stops. A web site goes on, since its pages are
// worth more than its mail, and says why in its log; the server refuses the empty password, so that nothing is sent.
var (
	phpStops  = []string{"throw new RuntimeException('the password cannot be read');"}
	phpGoesOn = []string{
		"error_log('" + config.Program + ": the password cannot be read, no mail can be sent');", "return '';",
	}
)

// phpSecret is a PHP expression that reads the secret: without the line end of its file, or from the command, which is
// started without a shell. failing are the statements for when there is none.
func (s source) phpSecret(failing ...string) string {
	file, argv := s.reference()
	read := "        $secret = rtrim((string) file_get_contents(" + singleQuote(file) + "), \"\\r\\n\");\n" +
		"        if ($secret === '') {\n"
	if file == "" {
		command := joinQuoted(argv, ", ", singleQuote)
		read = "        $process = proc_open([" + command + "], [1 => ['pipe', 'w']], $pipes);\n" +
			"        $secret = $process ? rtrim(stream_get_contents($pipes[1]), \"\\r\\n\") : '';\n" +
			"        if (!$process || proc_close($process) !== 0 || $secret === '') {\n"
	}
	return "(static function (): string {\n" + read +
		"            " + strings.Join(failing, "\n            ") + "\n" +
		"        }\n        return $secret;\n    })()"
}

// implicitOn465 refuses STARTTLS on port 465 for programs that send with the mailer of Symfony, which uses TLS from the
// start there whatever it is told.
func (s source) implicitOn465() error {
	if s.security() == config.SecurityStartTLS && s.profile.Submission.Port == config.PortSubmissions {
		return s.refuse("submission.port", "config.export.starttls465")
	}
	return nil
}

// sslOrTLS are the usual words of PHP programs: ssl is implicit TLS, tls is STARTTLS.
func (s source) sslOrTLS() string {
	return map[config.Security]string{config.SecurityTLS: "ssl", config.SecurityStartTLS: "tls"}[s.security()]
}
