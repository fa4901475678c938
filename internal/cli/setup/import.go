package setup

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/importer"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/wizard"
)

// ImportOptions are the flags and arguments of `postier import`.
type ImportOptions struct {
	*command.Factory
	Format, File                  string
	Account, Profile              string
	DryRun, RunCommand, Cleartext bool
	Values                        map[wizard.FieldID]string
	Secrets                       *command.SecretFlags
}

// NewImport is `postier import`.
func NewImport(f *command.Factory, run command.Run[*ImportOptions]) *cobra.Command {
	o := &ImportOptions{Factory: f}
	cmd := command.New(f, "import FORMAT|auto FILE", "importer.short", o, run.Or(runImport), &o.Format, &o.File)
	cmd.Flags().StringVar(&o.Account, "account", "", f.T("importer.flag.account"))
	cmd.Flags().StringVar(&o.Profile, "profile", "", f.T("cli.flag.profile"))
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, f.T("importer.flag.dry-run"))
	cmd.Flags().BoolVar(&o.RunCommand, "run-command", false, f.T("importer.flag.run-command"))
	cmd.Flags().BoolVar(&o.Cleartext, "insecure-cleartext", false, f.T("cli.flag.cleartext"))
	f.SettingFlags(cmd, command.SettingFields(), &o.Values)
	o.Secrets = f.SecretFlags(cmd)
	return cmd
}

// runImport reads a file, shows what it says, and takes it through the same steps as setup --yes, with all their
// checks.
func runImport(ctx context.Context, o *ImportOptions) error {
	data, err := readImport(o.Factory, o.File)
	if err != nil {
		return err
	}
	source := importer.Source{Path: o.File, Data: data, Open: readForeign}
	if o.File == "-" {
		source.Open = nil
	}
	found, accounts, err := importer.Read(o.Format, source)
	if err != nil {
		return importError(o.Factory, err)
	}
	account, err := chooseAccount(o.Factory, o.Account, accounts)
	if err != nil {
		return err
	}
	if err := showImport(o.Factory, o.File, found, account); err != nil || o.DryRun {
		return err
	}
	given, err := o.secret(ctx, account)
	if err != nil {
		return err
	}
	values := importedValues(account)
	maps.Copy(values, o.Values) // a flag wins over the file
	address := values[wizard.FieldFrom]
	if address == "" {
		return o.Fault(exitcode.Data, "importer.error.address")
	}
	if values[wizard.FieldSMTPHost] == "" {
		return o.Fault(exitcode.Data, "importer.error.host")
	}
	return Run(ctx, &Options{
		Factory: o.Factory, Address: address, Profile: o.Profile, Yes: true, Cleartext: o.Cleartext, Values: values,
		Secrets: &command.SecretFlags{Given: given},
	})
}

// importSize is more than any of these files has: the longest is prefs.js of Thunderbird with some hundred KiB.
const importSize = 8 << 20

func readImport(f *command.Factory, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(f.In, importSize))
	}
	data, err := readForeign(path)
	if err != nil {
		return nil, f.Fault(exitcode.IO, "importer.error.read", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	return data, nil
}

// readForeign reads a file of another program, which has its own rules about owners and modes. It refuses pipes and
// devices, which may never end.
func readForeign(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, importSize))
}

func importError(f *command.Factory, err error) error {
	var failed *importer.Error
	if !errors.As(err, &failed) {
		return err
	}
	text := f.Say(failed.Reason)
	if failed.Field != "" {
		text = failed.Field + ": " + text
	}
	if failed.Account != "" {
		text = safetext.Escape(failed.Account) + ": " + text
	}
	return command.Failure(command.Code(err), text)
}

// chooseAccount returns the account that was named, the only one, or the file's default.
func chooseAccount(f *command.Factory, name string, accounts []importer.Account) (importer.Account, error) {
	var names []string
	for _, account := range accounts {
		names = append(names, account.Name)
		if name != "" && account.Name == name {
			return account, nil
		}
	}
	all := safetext.FromRemote(strings.Join(names, ", "))
	if name != "" {
		return importer.Account{},
			f.Fault(exitcode.Data, "importer.error.no-account", "name", safetext.FromRemote(name), "names", all)
	}
	if len(accounts) == 1 {
		return accounts[0], nil
	}
	if i := slices.IndexFunc(accounts, func(account importer.Account) bool { return account.Default }); i >= 0 {
		return accounts[i], nil
	}
	return importer.Account{}, f.Fault(exitcode.Data, "importer.error.accounts", "names", all)
}

// secret is the secret of a flag, or that of the file. A command line in the file was written by someone else: it runs
// only on request.
func (o *ImportOptions) secret(ctx context.Context, account importer.Account) (secret.Value, error) {
	given, err := o.Secret(ctx, o.Secrets)
	switch {
	case err != nil || !given.Empty():
		return given, err
	case !account.Secret.Empty():
		return account.Secret, nil
	case account.SecretFile != "":
		return o.Resolve(ctx, config.Credential{Kind: config.CredentialFile, Path: account.SecretFile})
	case account.Command != "" && o.RunCommand:
		return o.Resolve(ctx,
			config.Credential{Kind: config.CredentialCommand, Command: []string{"/bin/sh", "-c", account.Command}})
	case account.Submission.Auth == config.MechanismNone:
		return secret.Value{}, nil
	case account.Command != "":
		return secret.Value{}, o.Fault(exitcode.Config, "importer.error.command", "command",
			safetext.FromRemote(account.Command))
	}
	return secret.Value{}, o.Fault(exitcode.Config, "importer.error.secret")
}

// importedValues are the account's settings as fields of the wizard.
func importedValues(account importer.Account) map[wizard.FieldID]string {
	s := account.Submission
	values := map[wizard.FieldID]string{
		wizard.FieldSMTPHost: s.Host, wizard.FieldSMTPPort: strconv.Itoa(s.Port),
		wizard.FieldSMTPSecurity: string(s.Security),
		wizard.FieldAuth:         string(s.Auth), wizard.FieldUser: s.Username, wizard.FieldHelo: s.Helo,
		wizard.FieldFrom: account.From.Address, wizard.FieldFromName: account.From.Name, wizard.FieldReplyTo: account.ReplyTo,
		wizard.FieldSentFolder: account.SentFolder,
	}
	if account.Batch.Messages != 0 {
		values[wizard.FieldBatch] = strconv.Itoa(account.Batch.Messages)
	}
	if account.Batch.WaitSeconds != 0 {
		values[wizard.FieldWait] = strconv.FormatFloat(account.Batch.WaitSeconds, 'f', -1, 64)
	}
	if imap := account.IMAP; imap != nil {
		values[wizard.FieldIMAPHost], values[wizard.FieldIMAPPort] = imap.Host, strconv.Itoa(imap.Port)
		values[wizard.FieldIMAPSecurity], values[wizard.FieldIMAPUser] = string(imap.Security), imap.Username
		if account.SentFolder != "" {
			values[wizard.FieldSentCopy] = string(config.SentAppend)
		}
	}
	maps.DeleteFunc(values, func(_ wizard.FieldID, value string) bool { return value == "" })
	return values
}

// importReport is the JSON of what was found. Of the secret it only says where it comes from.
type importReport struct {
	Format  string                    `json:"format"`
	Account string                    `json:"account,omitempty"`
	Values  map[wizard.FieldID]string `json:"values"`
	Secret  string                    `json:"secret"` // value, file, command or none
	Notes   []string                  `json:"notes,omitempty"`
}

func showImport(f *command.Factory, path, format string, account importer.Account) error {
	report := importReport{Format: format, Account: account.Name, Values: importedValues(account), Secret: "none"}
	from := safetext.Remote{}
	switch {
	case !account.Secret.Empty():
		report.Secret = "value"
	case account.SecretFile != "":
		report.Secret, from = "file", safetext.FromRemote(account.SecretFile)
	case account.Command != "":
		report.Secret, from = "command", safetext.FromRemote(account.Command)
	}
	notes := account.Notes
	if account.CAFile != "" {
		notes = append(notes, locale.Msg("importer.note.ca", "path", safetext.FromRemote(account.CAFile)))
	}
	for _, note := range notes {
		report.Notes = append(report.Notes, f.Say(note))
	}
	if f.JSON {
		return f.PrintJSON(report)
	}
	f.Println(f.T("importer.found", "path", safetext.FromRemote(path), "format", format))
	for _, id := range slices.Concat([]wizard.FieldID{wizard.FieldAddress}, command.SettingFields()) {
		if value := report.Values[id]; value != "" {
			f.Println("  " + f.T("wizard.field."+string(id)) + ": " + safetext.Escape(value))
		}
	}
	f.Println("  " + f.T("importer.secret."+report.Secret, "from", from))
	for _, note := range report.Notes {
		f.Note(note)
	}
	return nil
}
