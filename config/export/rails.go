package export

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// railsFormat is an initializer for Action Mailer. There enable_starttls requires STARTTLS, and enable_starttls_auto
// uses it where the server offers it.
var railsFormat = Format{
	Name: "rails", Summary: locale.Msg("config.export.rails"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism,
	write: template{
		path: "config/initializers/mail.rb", quote: all(singleQuote),
		text: `Rails.application.config.action_mailer.delivery_method = :smtp
Rails.application.config.action_mailer.smtp_settings = {
  address: {host},
  port: {=port},
{?tls}  tls: true,
{?starttls}  enable_starttls: true,
{?none}  enable_starttls_auto: false,
{^none}  openssl_verify_mode: 'peer',
  ca_file: {ca},
  domain: {helo},
{?auth}  authentication: :{=rubymechanism},
  user_name: {user},
  password: File.read({file}, encoding: 'UTF-8').chomp,
  password: IO.popen([{=argv}], &:read).tap { $?.success? or raise 'the password cannot be read' }.chomp,
}
Rails.application.config.action_mailer.default_options = {
  from: {mailbox},
  reply_to: {reply},
}
`,
	}.write,
}

// rubyMechanism is the word of Net::SMTP, which Rails, Discourse and GitLab send with.
func (s source) rubyMechanism() (string, error) {
	mechanism, err := s.passwordMechanism()
	return strings.ReplaceAll(string(mechanism), "-", "_"), err
}

// passwordMechanism is for programs that name one mechanism, and know no others than these.
func (s source) passwordMechanism() (config.Mechanism, error) {
	switch mechanism := s.mechanism(); mechanism {
	case "":
		return config.MechanismPlain, nil
	case config.MechanismPlain, config.MechanismLogin, config.MechanismCRAMMD5:
		return mechanism, nil
	}
	return "", s.cannotHold("submission.auth")
}
