package export

import "postier/internal/locale"

// laravelFormat is mail.php of Laravel's config folder. The scheme is for Laravel 11 and later, the encryption for
// earlier versions.
var laravelFormat = Format{
	Name: "laravel", Summary: locale.Msg("config.export.laravel"), carries: carriesFromName | carriesReplyTo | carriesHelo,
	write: template{path: "config/mail.php", quote: all(singleQuote), text: `<?php

return [
    'default' => 'smtp',
    'mailers' => [
        'smtp' => [
            'transport' => 'smtp',
{?tls}            'scheme' => 'smtps',
{^tls}            'scheme' => 'smtp',
            'encryption' => {ssl},
{?starttls}            'require_tls' => true,
            'host' => {host},
            'port' => {=port},
            'username' => {user},
            'password' => {=php},
            'local_domain' => {helo},
        ],
    ],
    'from' => ['address' => {from}, 'name' => {+name}],
    'reply_to' => ['address' => {reply}, 'name' => ''],
];
`}.write,
}
