package export

import (
	"postier/config"
	"postier/internal/locale"
)

// dolibarrFormat is a script that sets the constants of Dolibarr, which are in its database. It reads the password
// itself, and Dolibarr encrypts it there. Dolibarr sends nothing when STARTTLS fails.
var dolibarrFormat = Format{
	Name: "dolibarr", Summary: locale.Msg("config.export.dolibarr"), carries: carriesMechanism, trust: "trust_php",
	write: writeDolibarr,
}

func writeDolibarr(s source) ([]Artifact, error) {
	method, known := map[config.Mechanism]string{
		"": "LOGIN", config.MechanismLogin: "LOGIN", config.MechanismPlain: "PLAIN",
	}[s.mechanism()]
	if s.hasPassword() && !known {
		return nil, s.cannotHold("submission.auth")
	}
	return s.fill(map[string]string{"method": method}, template{"dolibarr-mail.php", all(singleQuote), `<?php
if (PHP_SAPI !== 'cli' || $argc !== 2 || !is_file($argv[1] . '/master.inc.php')) {
    fwrite(STDERR, "php dolibarr-mail.php HTDOCS\n");
    exit(64);
}
$settings = [
    'MAIN_MAIL_SENDMODE' => 'smtps',
    'MAIN_MAIL_SMTP_SERVER' => {host},
    'MAIN_MAIL_SMTP_PORT' => {port},
{?tls}    'MAIN_MAIL_EMAIL_TLS' => '1',
{^tls}    'MAIN_MAIL_EMAIL_TLS' => '0',
{?starttls}    'MAIN_MAIL_EMAIL_STARTTLS' => '1',
{^starttls}    'MAIN_MAIL_EMAIL_STARTTLS' => '0',
    'MAIN_MAIL_EMAIL_SMTP_ALLOW_SELF_SIGNED' => '0',
    'MAIN_MAIL_EMAIL_FROM' => {from},
{?auth}    'MAIN_MAIL_SMTPS_AUTH_TYPE' => {method},
{^auth}    'MAIN_MAIL_SMTPS_AUTH_TYPE' => 'NONE',
    'MAIN_MAIL_SMTPS_ID' => {+user},
{?auth}    'MAIN_MAIL_SMTPS_PW' => {=php},
{^auth}    'MAIN_MAIL_SMTPS_PW' => '',
];
require $argv[1] . '/master.inc.php';
require_once DOL_DOCUMENT_ROOT . '/core/lib/admin.lib.php';
foreach ($settings as $name => $value) {
    if (dolibarr_set_const($db, $name, $value, 'chaine', 0, '', $conf->entity) < 0) {
        fwrite(STDERR, $name . ': ' . $db->lasterror() . "\n");
        exit(74);
    }
}
`})
}
