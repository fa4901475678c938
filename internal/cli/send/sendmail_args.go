package send

import (
	"strings"
	"time"

	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// SendmailOptions are the arguments of sendmail(8) that have an effect here.
type SendmailOptions struct {
	*command.Factory
	fromHeader bool   // -t
	dotEnds    bool   // no -i
	sender     string // -f, -r
	name       string // -F
	mode       byte   // of -b: m, s, p
	run        bool   // -q
	later      bool   // -odq: accept only
	verbose    bool
	help       bool // --help, or -h without the number of hops that it takes
	direct     bool
	kind       string
	recipients []string
}

// refuse is the error about an argument; key is what is wrong with it.
func (o *SendmailOptions) refuse(key, flag string) error {
	return command.Usage(o.T(key, "flag", safetext.FromRemote(flag)))
}

// Flags of sendmail(8). Those of the first string take no value, those of the second one that is attached or the next
// argument, those of the third only an attached one. The flags among them that mean nothing here are ignored; all
// others are refused.
const (
	sendmailAlone    = "timvnGUsx"
	sendmailValued   = "fFroORNBChLVXp"
	sendmailAttached = "bqdeAM"
)

// parse reads the arguments. It also takes the global flags of this program, which callers of sendmail do not
// use.
func (o *SendmailOptions) parse(args []string) error {
	o.dotEnds, o.mode = true, 'm'
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			o.recipients = append(o.recipients, args...)
			return nil
		case strings.HasPrefix(arg, "--"):
			rest, err := o.longFlag(arg[2:], args)
			if err != nil {
				return err
			}
			args = rest
		case len(arg) < 2 || arg[0] != '-':
			o.recipients = append(o.recipients, arg)
		default:
			rest, err := o.shortFlags(arg[1:], args)
			if err != nil {
				return err
			}
			args = rest
		}
	}
	return nil
}

// longFlag reads a global flag, or one of send's that programs may add.
func (o *SendmailOptions) longFlag(arg string, args []string) ([]string, error) {
	name, value, given := strings.Cut(arg, "=")
	ignored := new(bool)
	if on, known := map[string]*bool{
		"json": &o.JSON, "direct": &o.direct, "help": &o.help, "plain": ignored, "no-color": ignored, "verbose": ignored,
	}[name]; known {
		*on = true
		return args, nil
	}
	var timeout string
	to, known := map[string]*string{
		"config": &o.ConfigFlag, "lang": &o.LangFlag, "resolver": &o.Resolver, "ca-file": &o.CAFile, "kind": &o.kind,
		"timeout": &timeout,
	}[name]
	if !known {
		return nil, o.refuse("sendcli.sendmail.flag", "--"+name)
	}
	if !given {
		if len(args) == 0 {
			return nil, o.refuse("sendcli.sendmail.needs", "--"+name)
		}
		value, args = args[0], args[1:]
	}
	if *to = value; name == "timeout" {
		d, err := time.ParseDuration(timeout)
		if err != nil || d < 0 {
			return nil, o.refuse("sendcli.sendmail.needs", "--timeout")
		}
		o.Timeout = d
	}
	return args, nil
}

func (o *SendmailOptions) shortFlags(flags string, args []string) ([]string, error) {
	for flags != "" {
		c := flags[0]
		flags = flags[1:]
		switch {
		case strings.IndexByte(sendmailAlone, c) >= 0:
			o.fromHeader, o.dotEnds, o.verbose = o.fromHeader || c == 't', o.dotEnds && c != 'i', o.verbose || c == 'v'
		case c == 'e' && flags == "" && len(args) > 0 && len(args[0]) == 1 && strings.Contains("bempqw", args[0]):
			return args[1:], nil // -e m: how errors are reported, which is always the same here
		case strings.IndexByte(sendmailAttached, c) >= 0:
			return args, o.attached(c, flags)
		case strings.IndexByte(sendmailValued, c) >= 0:
			value := flags
			if value == "" {
				if len(args) == 0 && c == 'h' {
					o.help = true
					return nil, nil
				}
				if len(args) == 0 {
					return nil, o.refuse("sendcli.sendmail.needs", "-"+string(c))
				}
				value, args = args[0], args[1:]
			}
			o.valued(c, value)
			return args, nil
		default:
			return nil, o.refuse("sendcli.sendmail.flag", "-"+string(c))
		}
	}
	return args, nil
}

func (o *SendmailOptions) attached(c byte, value string) error {
	switch {
	case c == 'q':
		o.run = true
	case c == 'b' && len(value) == 1 && strings.Contains("mspi", value):
		o.mode = value[0]
	case c == 'b' && strings.EqualFold(value, "d"): // as a daemon
		return o.refuse("sendcli.sendmail.mode", "-b"+value)
	case c == 'b':
		return o.refuse("sendcli.sendmail.no-mode", "-b"+value)
	}
	return nil
}

func (o *SendmailOptions) valued(c byte, value string) {
	switch {
	case c == 'f', c == 'r':
		o.sender = value
	case c == 'F':
		o.name = value
	case c == 'o' && value == "i", c == 'O' && strings.EqualFold(strings.ReplaceAll(value, " ", ""), "IgnoreDots=true"):
		o.dotEnds = false
	case c == 'o' && value == "dq", c == 'o' && value == "dd", c == 'O' && strings.EqualFold(value, "DeliveryMode=q"):
		o.later = true
	}
}
