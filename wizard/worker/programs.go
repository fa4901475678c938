package worker

import "os/exec"

// handedOver are the programs to which the last screen hands the profile over where they are installed: the command
// that shows that, and the export format.
var handedOver = []struct{ command, format string }{
	{"postconf", "postfix"},
	{"exim4", "exim"},
	{"msmtp", "msmtp"},
	{"php", "php"},
	{"wp", "wordpress"},
	{"thunderbird", "thunderbird"},
	{"neomutt", "neomutt"},
	{"mutt", "mutt"},
	{"aerc", "aerc"},
	{"himalaya", "himalaya"},
}

// mostPrograms is how many programs the last screen names.
const mostPrograms = 3

func installedPrograms() []string {
	var formats []string
	for _, p := range handedOver {
		if _, err := exec.LookPath(p.command); err == nil && len(formats) < mostPrograms {
			formats = append(formats, p.format)
		}
	}
	return formats
}
