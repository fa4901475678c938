package config

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/strictjson"
)

const (
	maxProfiles = 1000 // a group with a thousand mailboxes; each one is a screen line
	maxSenders  = 1000 // domains and addresses of one profile
	maxBCC      = 50   // every message carries them
	maxKinds    = 200  // message kinds of one program
	maxPins     = 20   // leaf keys of one server and their successors
	maxChecks   = 200  // check ids recorded with a proof
	// Ten years, and a table of a few GiB.
	maxLogDays     = 3660
	maxLogMessages = 10_000_000
	maxAllowed     = 1000 // users and groups of one machine; more belong into a group
)

// Validate returns everything that is wrong or unwise in the settings, in the order of the file. Only Document.Validate
// reports unknown keys. It opens no file and asks no server.
func Validate(f *File) Faults {
	v := &validator{file: f}
	if f.Version < 1 || f.Version > Version {
		v.add("version", locale.Msg("config.version", "version", Version))
	}
	v.check("$schema", ValidateText(f.Schema))
	v.selection()
	v.aliases()
	if len(f.Profiles) > maxProfiles {
		v.add("profiles", locale.Msg("config.too_many", "max", maxProfiles))
	}
	for _, name := range f.Names() {
		path := strictjson.Join("profiles", name)
		v.check(path, ValidateName(name))
		p := f.Profiles[name]
		if p == nil {
			v.add(path, locale.Msg("config.shape.object"))
			continue
		}
		v.profile(path, p)
	}
	v.sharedSenders()
	v.optional("queue.mode", string(f.Queue.Mode), func(mode string) Text { return oneOf(mode, QueueModes()) })
	v.optional("queue.database", f.Queue.Database, ValidateDatabase)
	v.submit()
	v.log()
	v.watch()
	return v.faults
}

// ValidateProfile is Validate for one profile that is not in a file yet; paths begin at the profile, for instance
// submission.port.
func ValidateProfile(p *Profile) Faults {
	v := &validator{file: &File{}}
	v.profile("", p)
	return v.faults
}

type validator struct {
	file   *File
	faults Faults
}

func (v *validator) add(path string, text Text) {
	v.faults = append(v.faults, Fault{Path: path, Text: text})
}

func (v *validator) warn(path string, text Text) {
	v.faults = append(v.faults, Fault{Path: path, Text: text, Warning: true})
}

// check adds the text of a field validator unless it is empty.
func (v *validator) check(path string, text Text) {
	if !text.Empty() {
		v.add(path, text)
	}
}

// optional is check for a field that may be left out.
func (v *validator) optional(path, value string, validate func(string) Text) {
	if value != "" {
		v.check(path, validate(value))
	}
}

func (v *validator) selection() {
	f := v.file
	switch {
	case f.Default == "" && len(f.Profiles) > 0:
		v.warn("default", locale.Msg("config.default.none", "name", f.Names()[0]))
	case f.Default != "" && f.Profiles[f.Default] == nil:
		v.add("default", locale.Msg("config.profile.unknown", "name", safetext.FromRemote(f.Default)))
	case f.Default != "" && !f.Profiles[f.Default].Enabled:
		v.warn("default", locale.Msg("config.profile.off", "name", f.Default))
	}
	switch p := f.Profiles[f.Fallback]; {
	case f.Fallback == "":
	case p == nil:
		v.add("fallback", locale.Msg("config.profile.unknown", "name", safetext.FromRemote(f.Fallback)))
	case !p.Enabled:
		v.warn("fallback", locale.Msg("config.profile.off", "name", f.Fallback))
	case p.Credential.Kind == CredentialAsk:
		v.warn("fallback", locale.Msg("config.fallback.ask", "name", f.Fallback))
	}
}

// aliases checks the table of local names: each leads to an address, or to another name in it.
func (v *validator) aliases() {
	known := map[string]bool{} // names are compared without regard to case
	for name := range v.file.Aliases {
		known[strings.ToLower(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(v.file.Aliases)) {
		path := "aliases." + name
		if name != "*" && !ValidateAddress(name+"@local.example").Empty() {
			v.add(path, locale.Msg("config.alias.name", "name", safetext.FromRemote(name)))
		}
		if len(v.file.Aliases[name]) == 0 {
			v.add(path, locale.Msg("config.alias.empty"))
		}
		for i, target := range v.file.Aliases[name] {
			if !known[strings.ToLower(target)] && !ValidateRecipient(target).Empty() {
				v.add(fmt.Sprintf("%s[%d]", path, i), locale.Msg("config.alias.target", "value", safetext.FromRemote(target)))
			}
		}
	}
}

// submit checks who may hand messages to the service. An empty list could be meant as everyone or as no one.
func (v *validator) submit() {
	if allow := v.file.Submit.Allow; allow != nil && len(allow) == 0 {
		v.add("submit.allow", locale.Msg("config.submit.empty"))
	}
	v.list("submit.allow", v.file.Submit.Allow, maxAllowed, ValidateLocalUser)
}

func (v *validator) log() {
	for _, row := range []struct {
		key         string
		value, most int
	}{{"log.days", v.file.Log.Days, maxLogDays}, {"log.messages", v.file.Log.Messages, maxLogMessages}} {
		if row.value < 0 || row.value > row.most {
			v.add(row.key, locale.Msg("config.log.range", "max", row.most))
		}
	}
}

// sharedSenders warns where two profiles that are switched on claim one sender, since only one of them will send.
func (v *validator) sharedSenders() {
	first := map[string]string{}
	for _, name := range v.file.Names() {
		p := v.file.Profiles[name]
		if p == nil || !p.Enabled {
			continue
		}
		for i, sender := range p.Senders {
			key := strings.ToLower(AddressASCIIDomain("@" + strings.TrimPrefix(sender, "@")))
			if other, ok := first[key]; ok && other != name {
				v.warn(strictjson.Join(strictjson.Join("profiles", name), "senders."+strconv.Itoa(i)),
					locale.Msg("config.sender.shared", "value", safetext.FromRemote(sender), "name", other))
			} else {
				first[key] = name
			}
		}
	}
}

func (v *validator) profile(path string, p *Profile) {
	at := func(key string) string { return strictjson.Join(path, key) }
	v.check(at("label"), ValidateText(p.Label))
	v.optional(at("provider"), p.Provider, ValidateName)
	v.check(at("from.name"), ValidateText(p.From.Name))
	v.check(at("from.address"), ValidateAddress(p.From.Address))
	v.optional(at("reply_to"), p.ReplyTo, ValidateAddress)
	v.list(at("bcc"), p.BCC, maxBCC, ValidateAddress)
	v.list(at("senders"), p.Senders, maxSenders, ValidateSender)
	v.kinds(at("kinds"), p.Kinds)
	v.server(at("submission"), &p.Submission, submissionServer)
	v.insecure(path, p)
	v.credential(at("credential"), p)
	v.sentCopy(at("sent_copy"), &p.SentCopy)
	v.limits(at("limits"), &p.Limits)
	v.testMode(at("test_mode"), p.TestMode)
	v.list(at("tls.pin_sha256"), p.TLS.PinSHA256, maxPins, ValidatePin)
	v.optional(at("tls.ca_file"), p.TLS.CAFile, ValidatePath)
	if p.Disabled != nil {
		v.disabled(at("disabled"), p)
	}
	if p.Validated != nil {
		v.validated(at("validated"), p)
	}
}

func (v *validator) list(path string, values []string, limit int, validate func(string) Text) {
	if len(values) > limit {
		v.add(path, locale.Msg("config.too_many", "max", limit))
	}
	seen := map[string]bool{}
	for i, value := range values {
		at := strictjson.Join(path, strconv.Itoa(i))
		v.check(at, validate(value))
		if seen[value] {
			v.warn(at, locale.Msg("config.doubled", "value", safetext.FromRemote(value)))
		}
		seen[value] = true
	}
}

func (v *validator) kinds(path string, kinds map[string]bool) {
	if len(kinds) > maxKinds {
		v.add(path, locale.Msg("config.too_many", "max", maxKinds))
	}
	for _, name := range sortedKeys(kinds) {
		v.check(strictjson.Join(path, name), ValidateName(name))
	}
}

func (v *validator) limits(path string, l *Limits) {
	for _, row := range []struct {
		key   string
		value int
	}{
		{"per_hour", l.PerHour},
		{"per_day", l.PerDay},
		{"per_week", l.PerWeek},
		{"recipients_per_message", l.RecipientsPerMessage},
		{"batch.messages", l.Batch.Messages},
	} {
		v.check(strictjson.Join(path, row.key), ValidateLimit(row.value))
	}
	v.check(strictjson.Join(path, "batch.wait_seconds"), ValidateWait(l.Batch.WaitSeconds))
	if l.Batch.WaitSeconds > 0 && l.Batch.Messages == 0 {
		v.warn(strictjson.Join(path, "batch.messages"), locale.Msg("config.batch.messages"))
	}
}

func (v *validator) testMode(path string, t TestMode) {
	if t.Enabled && t.Address == "" {
		v.add(strictjson.Join(path, "address"), locale.Msg("config.test_mode.address"))
		return
	}
	v.optional(strictjson.Join(path, "address"), t.Address, ValidateAddress)
}

// wordPattern is a check id or a cause as diagnostics names them: smtp.auth, app-password-required.
var wordPattern = pattern.Of(`^[a-z][a-z0-9-]*([.][a-z0-9-]+)*$`)

func (v *validator) disabled(path string, p *Profile) {
	if p.Disabled.At.IsZero() {
		v.add(strictjson.Join(path, "at"), locale.Msg("config.shape.time"))
	}
	if !wordPattern().MatchString(string(p.Disabled.Cause)) {
		v.add(strictjson.Join(path, "cause"), locale.Msg("config.disabled.cause"))
	}
	if p.Enabled {
		v.warn(path, locale.Msg("config.disabled.enabled"))
	}
}

func (v *validator) validated(path string, p *Profile) {
	if p.Validated.At.IsZero() {
		v.add(strictjson.Join(path, "at"), locale.Msg("config.shape.time"))
	}
	sum, found := strings.CutPrefix(p.Validated.Digest, digestPrefix)
	if _, err := hex.DecodeString(sum); !found || err != nil || !ValidatePin(sum).Empty() {
		v.add(strictjson.Join(path, "digest"), locale.Msg("config.validated.digest"))
	} else if !p.Proven() {
		v.warn(path, locale.Msg("config.validated.stale"))
	}
	if len(p.Validated.Checks) > maxChecks {
		v.add(strictjson.Join(path, "checks"), locale.Msg("config.too_many", "max", maxChecks))
	}
	for _, id := range sortedKeys(p.Validated.Checks) {
		at := strictjson.Join(strictjson.Join(path, "checks"), string(id))
		if !wordPattern().MatchString(string(id)) {
			v.add(at, locale.Msg("config.validated.check", "value", safetext.FromRemote(string(id))))
		}
		enum(v, at, p.Validated.Checks[id], check.Statuses())
	}
}
