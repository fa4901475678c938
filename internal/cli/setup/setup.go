// Package setup holds the commands that run the wizard: setup, the demonstration, and the import of another program's
// settings, which answers in the user's place.
package setup

import (
	"cmp"
	"context"
	"maps"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/wizard"
	"postier/wizard/worker"
)

// Options are the flags and arguments of `postier setup`.
type Options struct {
	*command.Factory
	Address                string
	Profile, Edit, Answers string
	// Record is the file for the answers of this run, to be replayed on another machine.
	Record                 string
	Resume, Yes, Cleartext bool
	// New asks for a new profile: an edit that was left is not gone on with.
	New bool
	// Share offers what is shown to a helper from the beginning.
	Share bool
	// Fallback makes the profile the one that takes over when another one cannot send.
	Fallback bool
	// Fix is the cause of the trouble that an edited profile has: the wizard begins where it is corrected.
	Fix     check.Cause
	Product string
	Client  ClientFlags
	Values  map[wizard.FieldID]string
	Secrets *command.SecretFlags
}

// New is `postier setup`.
func New(f *command.Factory, run command.Run[*Options]) *cobra.Command {
	o := &Options{Factory: f}
	cmd := &cobra.Command{Use: "setup [ADDRESS]", Short: f.T("cli.short.setup"), Args: f.Args(0, 1)}
	cmd.Flags().StringVar(&o.Profile, "profile", "", f.T("cli.flag.profile"))
	cmd.Flags().StringVar(&o.Edit, "edit", "", f.T("cli.flag.edit"))
	cmd.Flags().StringVar(&o.Answers, "answers", "", f.T("cli.flag.answers"))
	cmd.Flags().StringVar(&o.Record, "record", "", f.T("cli.flag.record"))
	cmd.Flags().BoolVar(&o.Resume, "resume", false, f.T("cli.flag.resume"))
	cmd.Flags().BoolVar(&o.Yes, "yes", false, f.T("cli.flag.yes"))
	cmd.Flags().BoolVar(&o.Share, "share", false, f.T("cli.flag.share"))
	cmd.Flags().BoolVar(&o.Fallback, "fallback", false, f.T("cli.flag.fallback"))
	cmd.Flags().BoolVar(&o.Cleartext, "insecure-cleartext", false, f.T("cli.flag.cleartext"))
	cmd.Flags().StringVar(&o.Product, "product", "", f.T("cli.flag.product"))
	f.SettingFlags(cmd, slices.Concat(command.SettingFields(), command.AskFields()), &o.Values)
	for _, id := range command.AskFields() { // a provider asks for one of them at most; what is missing is named
		_ = cmd.Flags().MarkHidden(string(id))
	}
	o.Secrets = f.SecretFlags(cmd)
	o.Client.bind(f, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Address = args[0]
		}
		return run.Or(Run)(cmd.Context(), o)
	}
	return cmd
}

// Run runs the wizard.
func Run(ctx context.Context, o *Options) error {
	network, err := o.Network()
	if err != nil {
		return err
	}
	if err := o.gather(); err != nil {
		return err
	}
	if err := checkRecord(o.Factory, o.Record); err != nil {
		return err
	}
	given, err := o.Secret(ctx, o.Secrets)
	if err != nil {
		return err
	}
	path, _ := o.ConfigPath()
	doc, err := config.LoadOrNew(path)
	if err != nil {
		return err
	}
	draft, resumed, err := o.draft(doc)
	if err != nil {
		return err
	}
	resume := o.resumeCommand()
	product := cmp.Or(o.Product, draft.Product, o.Factory.Product())
	options := wizard.Options{
		Book: o.Book(), Product: product, Today: time.Now().Format(time.DateOnly), Address: o.Address, Values: o.Values,
		Secret: given, Names: doc.File.Names(), HasDefault: doc.File.Default != "", ConfigPath: doc.Path,
		AllowCleartext: o.Cleartext, Clients: o.Client.clients(o.Factory), Draft: draft, Resumed: resumed,
		Program: o.Program(), Fix: worker.FixOf(o.Fix),
	}
	if options.Found = o.found(); o.Served == nil {
		options.Name = userName()
	}
	vendorOptions(o.Factory, &options)
	if others := slices.DeleteFunc(doc.File.Names(), func(name string) bool {
		return name == cmp.Or(o.Edit, o.Profile)
	}); o.Fallback && len(others) == 0 {
		return o.Fault(exitcode.Data, "cli.error.fallback-first")
	}
	platform := platform(o.Factory)
	if platform != nil && doc.File.Profiles[platform.Name] == nil {
		options.Names = append(options.Names, platform.Name) // kept free for it
	}
	if draft.Editing {
		options.Stored = storedSecret(ctx, doc, draft.Profile)
		options.Edited = edited(doc, draft.Profile)
	}
	if draft.Step == wizard.StepAddress && o.Address != "" {
		// a new profile with a chosen name is a draft, which holds no address yet
		options.Values[wizard.FieldAddress] = o.Address
	}
	unattended := o.unattended()
	return converse(ctx, o.Factory, conversation{
		options: options,
		worker: &worker.Worker{
			Network: network, Book: options.Book, ConfigPath: doc.Path, Lang: o.Lang(), Product: product,
			CAFile: o.ExtraRoots(), Fallback: platform, NoDraft: unattended,
			Repair:       unattended && !portsGiven(options.Values),
			ClientSecret: o.Client.secret(o.Factory),
			Version:      o.Version, System: o.System(),
		},
		unattended: unattended,
		share:      o.Share,
		record:     o.Record,
		resume:     resume,
	})
}

// unattended reports whether to ask no questions.
func (o *Options) unattended() bool { return o.Yes || o.Answers != "" }

// gather reads the answers of a file, which flags override, and checks all values.
func (o *Options) gather() error {
	values := map[wizard.FieldID]string{}
	if o.Answers != "" {
		var err error
		if values, err = readAnswers(o.Factory, o.Answers); err != nil {
			return err
		}
		o.Address = cmp.Or(o.Address, values[wizard.FieldAddress])
		o.Profile = cmp.Or(o.Profile, values[wizard.FieldProfile])
		delete(values, wizard.FieldProfile)
	}
	maps.Copy(values, o.Values)
	o.Values = values
	if o.Fallback {
		o.Values[wizard.FieldFallback] = wizard.Yes
	}
	if o.Address != "" {
		if err := o.CheckAddress(o.Address); err != nil {
			return err
		}
	}
	return o.CheckSettings(values)
}

// resumeCommand is the exact command that continues with the draft. It repeats the flags that say where the draft is
// and which product it names.
func (o *Options) resumeCommand() string {
	if o.Served != nil {
		return o.T("served.reconnect")
	}
	words := []string{o.Program(), "setup", "--resume"}
	for _, flag := range []struct{ name, value string }{
		{"--product", o.Product},
		{"--resolver", o.Resolver},
		{"--ca-file", o.CAFile},
		{"--record", o.Record},
	} {
		if flag.value != "" {
			words = append(words, flag.name, command.ShellWord(flag.value))
		}
	}
	if o.Cleartext {
		words = append(words, "--insecure-cleartext")
	}
	if o.Share {
		words = append(words, "--share")
	}
	return strings.Join(words, " ")
}

// edited is a profile as it is saved; nil when it is gone.
func edited(doc *config.Document, name string) *wizard.Edited {
	p := doc.File.Profiles[name]
	if p == nil {
		return nil
	}
	e := &wizard.Edited{Draft: wizard.DraftOf(name, p, doc.File.Default == name)}
	e.Draft.Fallback = doc.File.Fallback == name
	if p.Proven() {
		e.Proof, e.At = p.Validated.Checks, p.Validated.At
	}
	return e
}

// storedSecret is the secret of a saved profile, so that editing the profile does not ask for it again. It is empty,
// and asked for, when it cannot be read.
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

// draft returns what the wizard starts from: a profile to edit, the stored draft of an interrupted run, or nothing.
func (o *Options) draft(doc *config.Document) (draft wizard.Draft, stored bool, err error) {
	if o.Edit != "" {
		draft, err = o.editDraft(doc)
		return draft, false, err
	}
	draft, found, err := worker.LoadDraft(doc.Path)
	if err != nil && o.Resume {
		return draft, false, err
	}
	switch {
	case o.Resume && !found:
		return draft, false, o.Fault(exitcode.Data, "cli.error.no-draft")
	case o.Resume:
		return draft, true, nil
	case found && o.Address == "" && !o.unattended() && !(o.New && draft.Editing):
		return draft, true, nil // of an interrupted run: offered again, and the user can go back to every step
	}
	draft, err = o.freshDraft(doc)
	return draft, false, err
}

// editDraft is the draft of a saved profile.
func (o *Options) editDraft(doc *config.Document) (wizard.Draft, error) {
	p := doc.File.Profiles[o.Edit]
	if p == nil {
		return wizard.Draft{}, o.Fault(exitcode.Data, "cli.error.no-profile", "name", safetext.FromRemote(o.Edit))
	}
	if err := o.Own(o.Edit, p); err != nil {
		return wizard.Draft{}, err
	}
	draft := edited(doc, o.Edit).Draft
	switch {
	case o.Address != "" && o.Address != draft.Address: // M-6: the address is changed where it is asked for
		draft.Step = wizard.StepAddress
	case !o.unattended() && len(o.Values) == 0:
		draft.Step = wizard.StepReview // all settings on one page
	}
	return draft, nil
}

// freshDraft is that of a new profile, empty where it has no name yet.
func (o *Options) freshDraft(doc *config.Document) (wizard.Draft, error) {
	if o.Profile == "" {
		return wizard.Draft{}, nil
	}
	if text := config.ValidateName(o.Profile); !text.Empty() {
		return wizard.Draft{}, o.Data(text)
	}
	if err := o.Own(o.Profile, doc.File.Profiles[o.Profile]); err != nil {
		return wizard.Draft{}, err
	}
	return wizard.Draft{
		Version: wizard.DraftVersion, Step: wizard.StepAddress, Chosen: -1, Profile: o.Profile,
		Default: doc.File.Default == "",
	}, nil
}

// portsGiven reports whether ports or TLS modes were given. They are taken as they are: a script that names a port does
// not want another one.
func portsGiven(values map[wizard.FieldID]string) bool {
	return slices.ContainsFunc([]wizard.FieldID{
		wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity,
	}, func(id wizard.FieldID) bool { return values[id] != "" })
}

// userName is the full name of the user of this computer, to be proposed as the sender's. Accounts of services and of
// administrators have none.
func userName() string {
	u, err := user.Current()
	if err != nil || u.Uid == "0" || strings.EqualFold(u.Name, u.Username) {
		return ""
	}
	name, _, _ := strings.Cut(u.Name, ",") // the rest of the GECOS field: office, telephones
	if !config.ValidateSetting(string(wizard.FieldFromName), name).Empty() {
		return ""
	}
	return strings.TrimSpace(name)
}
