package export

import "postier/internal/locale"

// wordpressFormat has the constants of the plugin WP Mail SMTP for wp-config.php. WPMS_SMTP_AUTOTLS is false, so that
// WPMS_SSL alone decides.
var wordpressFormat = Format{
	Name: "wordpress", Summary: locale.Msg("config.export.wordpress"), carries: carriesFromName, trust: "trust_php",
	write: template{path: "wp-config-mail.php", quote: all(singleQuote), text: `<?php
define('WPMS_ON', true);
define('WPMS_MAILER', 'smtp');
define('WPMS_SMTP_HOST', {host});
define('WPMS_SMTP_PORT', {=port});
define('WPMS_SSL', {+ssl});
define('WPMS_SMTP_AUTOTLS', false);
{?auth}define('WPMS_SMTP_AUTH', true);
{^auth}define('WPMS_SMTP_AUTH', false);
define('WPMS_SMTP_USER', {user});
define('WPMS_SMTP_PASS', {=phpsite});
define('WPMS_MAIL_FROM', {from});
define('WPMS_MAIL_FROM_FORCE', true);
define('WPMS_MAIL_FROM_NAME', {name});
`}.write,
}
