package cli

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
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/wizard"
)

type importOptions struct {
	account, profile              string
	dryRun, runCommand, cleartext bool
	values                        *settings
	secrets                       *secretFlags
}

func (a *app) importCommand() *cobra.Command {
	o := &importOptions{}
	cmd := &cobra.Command{Use: "import FORMAT|auto FILE", Short: a.T("importer.short"), Args: a.args(2, 2)}
	cmd.Flags().StringVar(&o.account, "account", "", a.T("importer.flag.account"))
	cmd.Flags().StringVar(&o.profile, "profile", "", a.T("cli.flag.profile"))
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, a.T("importer.flag.dry-run"))
	cmd.Flags().BoolVar(&o.runCommand, "run-command", false, a.T("importer.flag.run-command"))
	cmd.Flags().BoolVar(&o.cleartext, "insecure-cleartext", false, a.T("cli.flag.cleartext"))
	o.values = a.settingFlags(cmd, settingFields)
	o.secrets = a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.runImport(cmd.Context(), o, args[0], args[1]) }
	return cmd
}

// runImport reads a file, shows what it says, and takes it through the same steps as setup --yes, with all their
// checks.
func (a *app) runImport(ctx context.Context, o *importOptions, format, path string) error {
	data, err := a.readImport(path)
	if err != nil {
		return err
	}
	source := importer.Source{Path: path, Data: data, Open: readForeign}
	if path == "-" {
		source.Open = nil
	}
	found, accounts, err := importer.Read(format, source)
	if err != nil {
		return a.importError(err)
	}
	account, err := a.chooseAccount(o.account, accounts)
	if err != nil {
		return err
	}
	if err := a.showImport(path, found, account); err != nil || o.dryRun {
		return err
	}
	given, err := a.importedSecret(ctx, o, account)
	if err != nil {
		return err
	}
	values := importedValues(account)
	maps.Copy(values, o.values.given()) // a flag wins over the file
	address := values[wizard.FieldFrom]
	if address == "" {
		return a.Fault(exitData, "importer.error.address")
	}
	if values[wizard.FieldSMTPHost] == "" {
		return a.Fault(exitData, "importer.error.host")
	}
	options := &setupOptions{profile: o.profile, yes: true, cleartext: o.cleartext}
	return a.runSetup(ctx, options, address, values, &secretFlags{given: given})
}

// importSize is more than any of these files has: the longest are main.cf and wp-config.php with some ten KiB.
const importSize = 1 << 20

func (a *app) readImport(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(a.in, importSize))
	}
	data, err := readForeign(path)
	if err != nil {
		return nil, a.Fault(exitIO, "importer.error.read", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	return data, nil
}

// readForeign reads a file of another program, which has its own rules about owners and modes. A pipe or a device could
// keep the reader for ever.
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

func (a *app) importError(err error) error {
	var failed *importer.Error
	if !errors.As(err, &failed) {
		return err
	}
	text := a.Say(failed.Reason)
	if failed.Field != "" {
		text = failed.Field + ": " + text
	}
	if failed.Account != "" {
		text = safetext.Escape(failed.Account) + ": " + text
	}
	if errors.Is(err, importer.ErrFormat) {
		return &exitError{exitUsage, text}
	}
	return &exitError{exitData, text}
}

// chooseAccount picks the one that was named, the only one, or the file's default.
func (a *app) chooseAccount(name string, accounts []importer.Account) (importer.Account, error) {
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
			a.Fault(exitData, "importer.error.no-account", "name", safetext.FromRemote(name), "names", all)
	}
	if len(accounts) == 1 {
		return accounts[0], nil
	}
	if i := slices.IndexFunc(accounts, func(account importer.Account) bool { return account.Default }); i >= 0 {
		return accounts[i], nil
	}
	return importer.Account{}, a.Fault(exitData, "importer.error.accounts", "names", all)
}

// importedSecret is the secret by flag, or else as the file has it. Its command line is a stranger's: it runs only on
// request.
func (a *app) importedSecret(ctx context.Context, o *importOptions, account importer.Account) (secret.Value, error) {
	given, err := o.secrets.read(ctx, a)
	switch {
	case err != nil || !given.Empty():
		return given, err
	case !account.Secret.Empty():
		return account.Secret, nil
	case account.SecretFile != "":
		return a.resolveSecret(ctx, config.Credential{Kind: config.CredentialFile, Path: account.SecretFile})
	case account.Command != "" && o.runCommand:
		return a.resolveSecret(ctx,
			config.Credential{Kind: config.CredentialCommand, Command: []string{"/bin/sh", "-c", account.Command}})
	case account.Submission.Auth == config.MechanismNone:
		return secret.Value{}, nil
	case account.Command != "":
		return secret.Value{}, a.Fault(exitConfig, "importer.error.command", "command", safetext.FromRemote(account.Command))
	}
	return secret.Value{}, a.Fault(exitConfig, "importer.error.secret")
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

// importReport is the JSON of what was found. The secret is only said to be there, and from where.
type importReport struct {
	Format  string                    `json:"format"`
	Account string                    `json:"account,omitempty"`
	Values  map[wizard.FieldID]string `json:"values"`
	Secret  string                    `json:"secret"` // value, file, command or none
	Notes   []string                  `json:"notes,omitempty"`
}

func (a *app) showImport(path, format string, account importer.Account) error {
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
		report.Notes = append(report.Notes, a.Say(note))
	}
	if a.json {
		return a.printJSON(report)
	}
	a.println(a.T("importer.found", "path", safetext.FromRemote(path), "format", format))
	for _, id := range slices.Concat([]wizard.FieldID{wizard.FieldAddress}, settingFields) {
		if value := report.Values[id]; value != "" {
			a.println("  " + a.T("wizard.field."+string(id)) + ": " + safetext.Escape(value))
		}
	}
	a.println("  " + a.T("importer.secret."+report.Secret, "from", from))
	for _, note := range report.Notes {
		a.note(note)
	}
	return nil
}
