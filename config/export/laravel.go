package export

import "postier/internal/locale"

// laravelFormat is mail.php of Laravel's config folder. The scheme is for Laravel 11 and later, the encryption for
// earlier versions.
var laravelFormat = Format{
	Name: "laravel", Summary: locale.Msg("config.export.laravel"),
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesCAFile, write: writeLaravel,
}

// writeLaravel adds a service provider where the profile has an authority of its own, for which the transport smtp of
// Laravel has no setting. It passes require_tls on to the mailer of Symfony, which ignores it before version 7.3.
func writeLaravel(s source) ([]Artifact, error) {
	if err := s.implicitOn465(); err != nil {
		return nil, err
	}
	return s.fill(nil, template{"config/mail.php", all(singleQuote), `<?php

{?starttls}if (!method_exists(\Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport::class, 'setRequireTls')) {
{?starttls}    throw new RuntimeException('` + symfonyTooOld + `');
{?starttls}}
{?starttls}
return [
    'default' => 'smtp',
    'mailers' => [
        'smtp' => [
{?ca}            'transport' => 'profile',
{^ca}            'transport' => 'smtp',
            'cafile' => {ca},
{?tls}            'scheme' => 'smtps',
{^tls}            'scheme' => 'smtp',
            'encryption' => {ssl},
{?starttls}            'require_tls' => true,
            'host' => {host},
            'port' => {=port},
            'username' => {user},
            'password' => {=phpsite},
            'local_domain' => {helo},
        ],
    ],
    'from' => ['address' => {from}, 'name' => {+name}],
    'reply_to' => ['address' => {reply}, 'name' => ''],
];
`}, template{"{?ca}app/Providers/ProfileMailServiceProvider.php", nil, laravelProvider})
}

const laravelProvider = `<?php

namespace App\Providers;

use Illuminate\Support\Facades\Mail;
use Illuminate\Support\ServiceProvider;

// The transport smtp, which trusts the certificate authority of cafile.
final class ProfileMailServiceProvider extends ServiceProvider
{
    public function boot(): void
    {
        Mail::extend('profile', function (array $config) {
            $transport = Mail::createSymfonyTransport(['transport' => 'smtp'] + $config);
            $stream = $transport->getStream();
            $stream->setStreamOptions(array_replace_recursive(
                $stream->getStreamOptions(),
                ['ssl' => ['cafile' => $config['cafile']]]
            ));

            return $transport;
        });
    }
}
`
