package export

import "postier/internal/locale"

// nextcloudFormat is a further file of Nextcloud's folder config, which it reads after config.php. Nextcloud uses
// STARTTLS where mail_smtpsecure is not ssl and the server offers it.
var nextcloudFormat = Format{
	Name: "nextcloud", Summary: locale.Msg("config.export.nextcloud"), optionalTLS: always, carries: carriesCAFile,
	write: writeNextcloud,
}

func writeNextcloud(s source) ([]Artifact, error) {
	if err := s.implicitOn465(); err != nil {
		return nil, err
	}
	return s.fill(nil, template{"config/postier.config.php", all(singleQuote), `<?php
$CONFIG = [
    'mail_smtpmode' => 'smtp',
    'mail_smtphost' => {host},
    'mail_smtpport' => {=port},
{?tls}    'mail_smtpsecure' => 'ssl',
{^tls}    'mail_smtpsecure' => '',
    'mail_smtpstreamoptions' => ['ssl' => ['cafile' => {ca}]],
{?auth}    'mail_smtpauth' => true,
{^auth}    'mail_smtpauth' => false,
    'mail_from_address' => {local},
    'mail_domain' => {domain},
    'mail_smtpname' => {user},
    'mail_smtppassword' => {=phpsite},
];
`})
}
