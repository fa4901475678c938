package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/tui"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/worker"
)

// settings are the flags that stand for fields of the wizard; a flag is named like its field.
type settings struct {
	values map[wizard.FieldID]*string
	cmd    *cobra.Command
}

// settingFields are the fields that can be given by flag, in the order of the steps.
var settingFields = []wizard.FieldID{
	wizard.FieldProvider,
	wizard.FieldSMTPHost, wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldAuth, wizard.FieldUser,
	wizard.FieldHelo,
	wizard.FieldIMAPHost, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity, wizard.FieldIMAPUser,
	wizard.FieldKeep, wizard.FieldFrom, wizard.FieldSentCopy, wizard.FieldSentFolder,
	wizard.FieldLabel, wizard.FieldFromName, wizard.FieldReplyTo, wizard.FieldBCC, wizard.FieldSenders,
	wizard.FieldKindsOn,
	wizard.FieldKindsOff, wizard.FieldDefault, wizard.FieldPerHour, wizard.FieldPerDay, wizard.FieldPerWeek,
	wizard.FieldRecipients, wizard.FieldBatch, wizard.FieldWait, wizard.FieldTestMode, wizard.FieldTestAddress,
}

func flagOf(id wizard.FieldID) string { return string(id) }

// checkFields are those that a check can use: the servers, the sign-in and the Sent copy.
var checkFields = []wizard.FieldID{
	wizard.FieldSMTPHost, wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldAuth, wizard.FieldUser,
	wizard.FieldHelo, wizard.FieldFrom,
	wizard.FieldIMAPHost, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity, wizard.FieldIMAPUser, wizard.FieldSentCopy,
	wizard.FieldSentFolder,
}

func (a *app) settingFlags(cmd *cobra.Command, fields []wizard.FieldID) *settings {
	s := &settings{values: map[wizard.FieldID]*string{}, cmd: cmd}
	for _, id := range fields {
		s.values[id] = cmd.Flags().String(flagOf(id), "", a.fieldUsage(id))
	}
	return s
}

// fieldUsage is a field's label, with the server that it is about: on the screen a heading says that.
func (a *app) fieldUsage(id wizard.FieldID) string {
	label := a.T("wizard.field." + string(id))
	switch area, _, _ := strings.Cut(string(id), "-"); area {
	case "smtp":
		return a.T("cli.flag.of-smtp", "field", label)
	case "imap":
		return a.T("cli.flag.of-imap", "field", label)
	}
	return label
}

// given are the flags that were really set.
func (s *settings) given() map[wizard.FieldID]string {
	out := map[wizard.FieldID]string{}
	for id, value := range s.values {
		if s.cmd.Flags().Changed(flagOf(id)) {
			out[id] = *value
		}
	}
	return out
}

// secretFlags are the ways in which a secret comes without standing in an argument.
type secretFlags struct {
	// given is a secret that was fetched already; no flag sets it.
	given   secret.Value
	stdin   bool
	file    string
	command []string
}

func (a *app) secretFlags(cmd *cobra.Command) *secretFlags {
	f := &secretFlags{}
	cmd.Flags().BoolVar(&f.stdin, "password-stdin", false, a.T("cli.flag.password-stdin"))
	cmd.Flags().StringVar(&f.file, "password-file", "", a.T("cli.flag.password-file"))
	cmd.Flags().StringArrayVar(&f.command, "password-command", nil, a.T("cli.flag.password-command"))
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-file", "password-command")
	return f
}

// named reports whether a flag names a secret.
func (f *secretFlags) named() bool {
	return !f.given.Empty() || f.stdin || f.file != "" || len(f.command) > 0
}

// read fetches the secret; it is empty when no flag names one.
func (f *secretFlags) read(ctx context.Context, a *app) (secret.Value, error) {
	switch {
	case !f.given.Empty():
		return f.given, nil
	case f.stdin:
		const most = 8 << 10 // a secret is at most 4 KiB; more is no secret
		data, err := io.ReadAll(io.LimitReader(a.in, most))
		if err != nil {
			return secret.Value{}, err
		}
		return secret.New(oneLineEnd(string(data))), nil
	case f.file != "":
		path, err := filepath.Abs(f.file)
		if err != nil {
			return secret.Value{}, err
		}
		return a.resolveSecret(ctx, config.Credential{Kind: config.CredentialFile, Path: path})
	case len(f.command) > 0:
		argv := f.command
		if len(argv) == 1 {
			argv = strings.Fields(argv[0])
		}
		if text := config.ValidateCommand(argv); !text.Empty() {
			return secret.Value{}, &exitError{exitData, "--password-command: " + a.Say(text)}
		}
		return a.resolveSecret(ctx, config.Credential{Kind: config.CredentialCommand, Command: argv})
	}
	return secret.Value{}, nil
}

// oneLineEnd cuts exactly one line end, as the credential store does.
func oneLineEnd(s string) string {
	if cut, ok := strings.CutSuffix(s, "\r\n"); ok {
		return cut
	}
	return strings.TrimSuffix(s, "\n")
}

func (a *app) resolveSecret(ctx context.Context, reference config.Credential) (secret.Value, error) {
	path, _ := a.configPath()
	value, err := credential.For(path).Resolve(ctx, "flags", &config.Profile{Credential: reference})
	if err != nil {
		return secret.Value{}, a.givenSecretError(err)
	}
	return value, nil
}

// givenSecretError is what is wrong with a secret that came by a flag: it belongs to no profile yet, so that the
// sentences about saved ones would lead astray. Everything else stays as it is.
func (a *app) givenSecretError(err error) error {
	var broken *credential.Error
	if !errors.As(err, &broken) {
		return err
	}
	where := safetext.FromRemote(broken.Where)
	switch broken.Problem {
	case credential.Empty:
		return a.Fault(exitData, "cli.error.password-empty")
	case credential.TooLong:
		return a.Fault(exitData, "cli.error.password-long", "max", credential.MaxSecret)
	case credential.Malformed:
		return a.Fault(exitData, "cli.error.password-malformed")
	case credential.Missing:
		return a.Fault(exitIO, "cli.error.password-missing", "where", where)
	case credential.Exited, credential.NotStarted, credential.TimedOut:
		return a.Fault(exitIO, "cli.error.password-program", "where", where)
	}
	return err
}

type setupOptions struct {
	profile, edit, answers string
	resume, yes, cleartext bool
	product                string
	oauth                  oauthFlags
}

func (a *app) setupCommand() *cobra.Command {
	o := &setupOptions{}
	cmd := &cobra.Command{Use: "setup [ADDRESS]", Short: a.T("cli.short.setup"), Args: a.args(0, 1)}
	cmd.Flags().StringVar(&o.profile, "profile", "", a.T("cli.flag.profile"))
	cmd.Flags().StringVar(&o.edit, "edit", "", a.T("cli.flag.edit"))
	cmd.Flags().StringVar(&o.answers, "answers", "", a.T("cli.flag.answers"))
	cmd.Flags().BoolVar(&o.resume, "resume", false, a.T("cli.flag.resume"))
	cmd.Flags().BoolVar(&o.yes, "yes", false, a.T("cli.flag.yes"))
	cmd.Flags().BoolVar(&o.cleartext, "insecure-cleartext", false, a.T("cli.flag.cleartext"))
	cmd.Flags().StringVar(&o.product, "product", "", a.T("cli.flag.product"))
	values := a.settingFlags(cmd, settingFields)
	secrets := a.secretFlags(cmd)
	client := a.oauthFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		address := ""
		if len(args) > 0 {
			address = args[0]
		}
		o.oauth = *client
		return a.runSetup(cmd.Context(), o, address, values.given(), secrets)
	}
	return cmd
}

func (a *app) runSetup(ctx context.Context, o *setupOptions, address string, values map[wizard.FieldID]string,
	secrets *secretFlags,
) error {
	network, err := a.network()
	if err != nil {
		return err
	}
	if o.answers != "" {
		read, err := a.readAnswers(o.answers)
		if err != nil {
			return err
		}
		maps.Copy(read, values) // a flag wins over the file
		values = read
		if address == "" {
			address = values[wizard.FieldAddress]
		}
	}
	if err := a.checkGiven(address, values); err != nil {
		return err
	}
	given, err := secrets.read(ctx, a)
	if err != nil {
		return err
	}
	path, _ := a.configPath()
	doc, err := config.LoadOrNew(path)
	if err != nil {
		return err
	}
	draft, err := a.draftFor(o, doc, address)
	if err != nil {
		return err
	}
	resume := a.resumeCommand(o)
	if o.product == "" {
		o.product = draft.Product
	}
	if o.product == "" {
		o.product = a.product()
	}
	options := wizard.Options{
		Book: a.book(), Product: o.product, Today: time.Now().Format(time.DateOnly), Address: address, Values: values,
		Secret: given,
		Names:  doc.File.Names(), HasDefault: doc.File.Default != "", ConfigPath: doc.Path, AllowCleartext: o.cleartext,
		Clients: a.clients(o.oauth),
	}
	a.vendorOptions(&options)
	if platform := a.platform(); platform != nil && doc.File.Profiles[platform.Name] == nil {
		options.Names = append(options.Names, platform.Name) // kept free for it
	}
	options.Draft = draft
	if options.Draft.Editing {
		options.Stored = storedSecret(ctx, doc, options.Draft.Profile)
	}
	if options.Draft.Step == wizard.StepAddress && address != "" {
		// a new profile with a chosen name is a draft, which holds no address yet
		options.Values[wizard.FieldAddress] = address
	}
	c := conversation{
		options: options,
		worker: &worker.Worker{
			Network: network, Book: options.Book, ConfigPath: doc.Path, Lang: a.lang(),
			Product: o.product, CAFile: a.extraRoots(),
		},
		unattended: o.yes || o.answers != "",
		resume:     resume,
	}
	c.worker.Fallback = a.platform()
	c.worker.NoDraft, c.worker.ClientSecret = c.unattended, a.clientSecret(o.oauth)
	return a.converse(ctx, c)
}

// resumeCommand is the exact command that goes on with the draft: flags that say where it lies and whose name it bears
// are given again.
func (a *app) resumeCommand(o *setupOptions) string {
	words := []string{"postier", "setup", "--resume"}
	for _, flag := range []struct{ name, value string }{
		{"--config", a.configFlag},
		{"--product", o.product},
		{"--resolver", a.resolver},
		{"--ca-file", a.caFile},
	} {
		if flag.value != "" {
			words = append(words, flag.name, shellWord(flag.value))
		}
	}
	if o.cleartext {
		words = append(words, "--insecure-cleartext")
	}
	return strings.Join(words, " ")
}

// shellWord is a word as a POSIX shell takes it.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// storedSecret is the secret of a saved profile, so that editing it does not ask for it again. One that cannot be read
// is asked for.
func storedSecret(ctx context.Context, doc *config.Document, name string) secret.Value {
	profile := doc.File.Profiles[name]
	if profile == nil || profile.Credential.Kind == config.CredentialOAuth {
		return secret.Value{} // a sign-in by browser is found by the wizard itself
	}
	value, err := credential.For(doc.Path).Resolve(ctx, name, profile)
	if err != nil {
		return secret.Value{}
	}
	return value
}

// draftFor picks what the conversation starts from: a profile to edit, the draft of a dropped line, or nothing.
func (a *app) draftFor(o *setupOptions, doc *config.Document, address string) (wizard.Draft, error) {
	if o.edit != "" {
		p := doc.File.Profiles[o.edit]
		if p == nil {
			return wizard.Draft{}, a.Fault(exitData, "cli.error.no-profile", "name", safetext.FromRemote(o.edit))
		}
		return wizard.DraftOf(o.edit, p, doc.File.Default == o.edit), nil
	}
	draft, found, err := worker.LoadDraft(doc.Path)
	if err != nil && o.resume {
		return draft, err
	}
	switch {
	case o.resume && !found:
		return draft, a.Fault(exitData, "cli.error.no-draft")
	case o.resume:
		return draft, nil
	case found && address == "" && !o.yes && o.answers == "":
		return draft, nil // a dropped line: offered again, and every step can be gone back to
	}
	fresh := wizard.Draft{}
	if o.profile != "" {
		if text := config.ValidateName(o.profile); !text.Empty() {
			return fresh, &exitError{exitData, a.Say(text)}
		}
		fresh = wizard.Draft{
			Version: wizard.DraftVersion, Step: wizard.StepAddress, Chosen: -1, Profile: o.profile,
			Default: doc.File.Default == "",
		}
	}
	return fresh, nil
}

// checkGiven refuses malformed values before anything starts (exit 65).
func (a *app) checkGiven(address string, values map[wizard.FieldID]string) error {
	bad := func(id wizard.FieldID, text locale.Text) error {
		return &exitError{exitData, "--" + flagOf(id) + ": " + a.Say(text)}
	}
	if address != "" {
		if text := config.ValidateAddress(address); !text.Empty() {
			return &exitError{exitData, a.Say(text)}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(values)) {
		if text := validateSetting(id, values[id]); !text.Empty() {
			return bad(id, text)
		}
	}
	return nil
}

func validateSetting(id wizard.FieldID, value string) locale.Text {
	switch id {
	case wizard.FieldSMTPHost, wizard.FieldIMAPHost:
		if value == "" && id == wizard.FieldIMAPHost {
			return locale.Text{}
		}
		return config.ValidateHost(value)
	case wizard.FieldSMTPPort:
		_, text := config.ParsePortField(value)
		return text
	case wizard.FieldIMAPPort:
		_, text := config.ParsePort(value)
		return text
	case wizard.FieldSMTPSecurity, wizard.FieldIMAPSecurity:
		return oneOf(value, "tls", "starttls", "none", "auto")
	case wizard.FieldAuth:
		return oneOf(value, "auto", "none", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "ntlm", "xoauth2",
			"oauthbearer")
	case wizard.FieldSentCopy:
		return oneOf(value, "append", "server", "none")
	case wizard.FieldKeep:
		return oneOf(value, wizard.KeepFile, wizard.KeepAsk)
	case wizard.FieldDefault, wizard.FieldTestMode:
		return oneOf(value, wizard.Yes, wizard.No)
	case wizard.FieldFrom, wizard.FieldReplyTo, wizard.FieldTestAddress:
		if value == "" {
			return locale.Text{}
		}
		return config.ValidateAddress(value)
	case wizard.FieldUser, wizard.FieldIMAPUser:
		return config.ValidateUsername(value)
	case wizard.FieldHelo:
		return config.ValidateHelo(value)
	case wizard.FieldSentFolder:
		return config.ValidateFolder(value)
	case wizard.FieldLabel, wizard.FieldFromName:
		return config.ValidateText(value)
	}
	return locale.Text{}
}

func oneOf(value string, words ...string) locale.Text {
	if slices.Contains(words, value) {
		return locale.Text{}
	}
	return locale.Msg("cli.error.one-of", "value", safetext.FromRemote(value), "words", strings.Join(words, ", "))
}

// readAnswers reads an answers file: {"version":1,"answers":{"address":"…","smtp-host":"…"}}. It never holds a secret.
func (a *app) readAnswers(path string) (map[wizard.FieldID]string, error) {
	const most = 64 << 10 // a full set of answers is below 4 KiB
	f, err := os.Open(path)
	if err != nil {
		return nil, a.Fault(exitIO, "cli.error.answers-read", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	defer f.Close()
	var file struct {
		Version int                       `json:"version"`
		Answers map[wizard.FieldID]string `json:"answers"`
	}
	decoder := json.NewDecoder(io.LimitReader(f, most))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil || file.Version != 1 {
		detail := "version"
		if err != nil {
			detail = err.Error()
		}
		return nil, a.Fault(exitData, "cli.error.answers-form", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(detail))
	}
	out := map[wizard.FieldID]string{}
	for id, value := range file.Answers {
		known := id == wizard.FieldAddress || slices.Contains(settingFields, id) ||
			strings.HasPrefix(string(id), string(wizard.FieldAsk))
		if !known {
			return nil, a.Fault(exitData, "cli.error.answers-key", "path", safetext.FromRemote(path), "key",
				safetext.FromRemote(string(id)))
		}
		out[id] = value
	}
	return out, nil
}

// conversation is one run of the wizard, whatever draws it.
type conversation struct {
	options    wizard.Options
	worker     *worker.Worker
	unattended bool
	resume     string
	// approves is true where somebody approves a sign-in by browser without being told to: in the demonstration.
	approves bool
}

// converse picks the front end: full screen in a terminal that can draw, plain lines elsewhere, no questions when asked
// so.
func (a *app) converse(ctx context.Context, c conversation) error {
	c.options.CheckName = worker.CheckName
	state, requests := wizard.New(c.options)
	talk := carrier.Start(ctx, state, requests, c.worker)
	defer talk.Close()
	lines := plain.Options{
		Conversation: talk, Lang: a.lang(), Product: c.options.Product, Resume: c.resume, In: a.in, Out: a.out,
		SignIn: c.approves,
	}
	if c.unattended {
		return plain.Unattended(ctx, lines)
	}
	if !a.drawable() {
		return plain.Run(ctx, lines)
	}
	err := tui.Run(ctx, tui.Options{
		Conversation: talk, Lang: a.lang(), Product: c.options.Product, Resume: c.resume,
		NoColor: a.colourless(), Getenv: a.getenv, In: a.in, Out: a.out,
	})
	if errors.Is(err, tui.ErrNoTerminal) {
		return plain.Run(ctx, lines)
	}
	return err
}

// drawable reports whether both ends are a terminal that can place text, and nobody asked for plain lines.
func (a *app) drawable() bool {
	termName := a.getenv("TERM")
	return !a.plain && termName != "dumb" && termName != "" && a.getenv("ACCESSIBLE") == "" &&
		plain.IsTerminal(a.in) && plain.IsTerminal(a.out)
}
