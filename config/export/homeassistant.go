package export

import "postier/internal/locale"

// homeAssistantFormat is a notifier of Home Assistant for the list notify of its configuration. The password stays in
// secrets.yaml, which the script writes a line for.
var homeAssistantFormat = Format{
	Name: "homeassistant", Summary: locale.Msg("config.export.homeassistant"), carries: carriesFromName,
	write: writeHomeAssistant,
}

func writeHomeAssistant(s source) ([]Artifact, error) {
	// Home Assistant puts sender_name in front of <sender> as it is, so the name has to be quoted or encoded already.
	return s.fill(map[string]string{"sender": encodedPhrase(s.profile.From.Name)}, template{"notify.yaml", all(jsonQuote), `- platform: smtp
  name: {profile}
  server: {host}
  port: {=port}
  encryption: {security}
{^none}  verify_ssl: true
  username: {user}
{?auth}  password: !secret smtp_{=profile}
  sender: {from}
  sender_name: {sender}
  recipient: {from}
`}, s.secretScript("homeassistant-secret.sh", "secrets.yaml", `s/'/''/g`, "smtp_"+s.name+": '", "'"))
}
