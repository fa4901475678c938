package export

import "postier/internal/locale"

// gitlabFormat has lines for gitlab.rb, which is a program of Ruby: it reads the password itself. GitLab passes on
// enable_starttls_auto and not enable_starttls, so it cannot insist on STARTTLS.
var gitlabFormat = Format{
	Name: "gitlab", Summary: locale.Msg("config.export.gitlab"), optionalTLS: always,
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism,
	write: template{path: "gitlab-smtp.rb", quote: all(singleQuote), text: `gitlab_rails['smtp_enable'] = true
gitlab_rails['smtp_address'] = {host}
gitlab_rails['smtp_port'] = {=port}
{?tls}gitlab_rails['smtp_tls'] = true
{^tls}gitlab_rails['smtp_tls'] = false
{?starttls}gitlab_rails['smtp_enable_starttls_auto'] = true
{^starttls}gitlab_rails['smtp_enable_starttls_auto'] = false
{^none}gitlab_rails['smtp_openssl_verify_mode'] = 'peer'
gitlab_rails['smtp_ca_file'] = {ca}
gitlab_rails['smtp_domain'] = {helo}
{?auth}gitlab_rails['smtp_authentication'] = {rubymechanism}
{^auth}gitlab_rails['smtp_authentication'] = false
gitlab_rails['smtp_user_name'] = {user}
gitlab_rails['smtp_password'] = File.read({file}, encoding: 'UTF-8').chomp
gitlab_rails['smtp_password'] = IO.popen([{=argv}], &:read).tap { $?.success? or raise 'the password cannot be read' }.chomp
gitlab_rails['gitlab_email_from'] = {from}
gitlab_rails['gitlab_email_display_name'] = {name}
gitlab_rails['gitlab_email_reply_to'] = {reply}
`}.write,
}
