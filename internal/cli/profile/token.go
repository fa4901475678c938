package profile

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/oauth"
	"postier/internal/safetext"
	"postier/tui/plain"
)

// TokenOptions are the flags and arguments of `postier token`.
type TokenOptions struct {
	*command.Factory
	Name                       string
	Show, Check, SignIn, Paste bool
	ClientID, Tenant           string
}

// NewToken is `postier token`.
func NewToken(f *command.Factory, run command.Run[*TokenOptions]) *cobra.Command {
	o := &TokenOptions{Factory: f}
	cmd := command.New(f, "token PROFILE", "oauth.token.short", o, run.Or(runToken), &o.Name)
	flags := cmd.Flags()
	flags.BoolVar(&o.Show, "show", false, f.T("cli.flag.show"))
	flags.BoolVar(&o.Check, "check", false, f.T("oauth.token.flag-check"))
	flags.BoolVar(&o.SignIn, "sign-in", false, f.T("oauth.token.flag-sign-in"))
	flags.BoolVar(&o.Paste, "paste", false, f.T("oauth.token.flag-paste"))
	flags.StringVar(&o.ClientID, "client-id", "", f.T("oauth.token.flag-client-id"))
	flags.StringVar(&o.Tenant, "tenant", "", f.T("oauth.token.flag-tenant"))
	return cmd
}

func runToken(ctx context.Context, o *TokenOptions) error {
	source, err := o.Tokens()
	if err != nil {
		return err
	}
	return o.tokenFrom(ctx, source)
}

// tokenFrom prints an access token for a program that reads it through a pipe, or says whether the sign-in is valid, or
// renews it with the person's help.
func (o *TokenOptions) tokenFrom(ctx context.Context, source *oauth.Source) error {
	if !o.Check && !o.SignIn && !o.Show && plain.IsTerminal(o.Out) {
		return command.Usage(o.T("oauth.token.terminal"))
	}
	doc, p, err := o.OwnProfile(o.Name)
	if err != nil {
		return err
	}
	if p.Credential.Kind != config.CredentialOAuth {
		return o.Fault(exitcode.Config, "oauth.token.other-kind", "profile", safetext.FromRemote(o.Name))
	}
	if o.SignIn {
		return o.signInAgain(ctx, source, doc, p)
	}
	ask := source.Access
	if o.Check {
		ask = source.Renew
	}
	path := credential.For(doc.Path).OAuthFile(o.Name, p.Credential)
	access, err := ask(ctx, command.TokenReference(path, p.Credential))
	if err != nil {
		return withWayOut(o.Factory, err, o.Name)
	}
	return printToken(o.Factory, access, p.Submission.Username, o.Check)
}

// withWayOut adds the command that renews a sign-in that is no longer valid.
func withWayOut(f *command.Factory, err error, name string) error {
	var e *oauth.Error
	if !errors.As(err, &e) || e.Problem != oauth.Expired && e.Problem != oauth.NotSignedIn && e.Problem != oauth.Damaged {
		return err
	}
	again := f.T("oauth.token.again", "command", safetext.FromRemote("postier token "+name+" --sign-in"))
	return command.Failure(command.Code(err), f.Say(e.Text())+"\n"+again)
}

// tokenReport is what --json prints; without access_token with --check.
type tokenReport struct {
	AccessToken string          `json:"access_token,omitempty"`
	TokenType   string          `json:"token_type,omitempty"`
	Username    safetext.Remote `json:"username"`
	Account     safetext.Remote `json:"account,omitzero"`
	Expires     time.Time       `json:"expires"`
	ExpiresIn   int             `json:"expires_in"`
}

func printToken(f *command.Factory, access oauth.Access, username string, check bool) error {
	if !f.JSON {
		if check {
			f.Println(f.T("oauth.token.good", "until", access.Expires.Local().Format(time.DateTime)))
		} else {
			f.Raw(access.Token.Reveal())
		}
		return nil
	}
	report := tokenReport{
		Username: safetext.FromRemote(username), Account: safetext.FromRemote(access.Account), Expires: access.Expires,
		ExpiresIn: int(time.Until(access.Expires) / time.Second),
	}
	if !check {
		report.AccessToken, report.TokenType = access.Token.Reveal(), "Bearer"
	}
	return f.PrintJSON(report)
}

// signInAgain signs a profile in with plain lines. The configuration changes only when another client or directory was
// named.
func (o *TokenOptions) signInAgain(ctx context.Context, source *oauth.Source, doc *config.Document,
	p *config.Profile,
) error {
	reference := p.Credential
	reference.ClientID = cmp.Or(o.ClientID, reference.ClientID)
	reference.Tenant = cmp.Or(o.Tenant, reference.Tenant)
	provider, _ := source.Provider(reference.Provider)
	provider.Name = reference.Provider
	request := oauth.Request{
		Provider: provider, Tenant: reference.Tenant, ClientID: reference.ClientID,
		Accounts: []string{p.Submission.Username, p.From.Address},
		Path:     credential.For(doc.Path).OAuthFile(o.Name, reference),
	}
	if o.Paste {
		request.Flow = oauth.Code
	}
	signIn, err := source.Client.Begin(ctx, request)
	if err != nil {
		return err
	}
	result, err := askToSignIn(ctx, o.Factory, signIn, request.Accounts[0])
	if err != nil {
		return err
	}
	if reference.ClientID != p.Credential.ClientID || reference.Tenant != p.Credential.Tenant {
		p.Credential = reference
		if err := doc.Save(); err != nil {
			return err
		}
	}
	if !result.Verified {
		o.Note(o.T("oauth.prompt.done-unnamed"))
		return nil
	}
	o.Note(o.T("oauth.prompt.done", "account", result.Account))
	return nil
}

// askToSignIn shows what to do in the browser and waits for the sign-in.
func askToSignIn(ctx context.Context, f *command.Factory, s *oauth.SignIn, account string) (oauth.Result, error) {
	f.Note(f.T("oauth.prompt.open"))
	f.Note("")
	f.Note(safetext.Escape(s.Prompt.URL))
	f.Note("")
	if s.Prompt.Flow == oauth.Code {
		return askForPaste(ctx, f, s, account)
	}
	f.Note(f.T("oauth.prompt.code", "code", safetext.FromRemote(s.Prompt.Code)))
	f.Note(f.T("oauth.prompt.account", "account", safetext.FromRemote(account)))
	f.Note(f.T("oauth.prompt.warning"))
	var shown oauth.Phase
	return s.Wait(ctx, func(state oauth.State) {
		if state.Phase != shown {
			shown = state.Phase
			f.Note(f.Say(state.Text()))
		}
	})
}

// maxPastes is how often the user may paste something wrong before the sign-in ends.
const maxPastes = 5

func askForPaste(ctx context.Context, f *command.Factory, s *oauth.SignIn, account string) (oauth.Result, error) {
	f.Note(f.T("oauth.prompt.account", "account", safetext.FromRemote(account)))
	// ReadSecret adds its own colon
	prompt := strings.TrimRight(f.T("oauth.prompt.paste", "redirect", safetext.FromRemote(s.Prompt.Redirect)), " :")
	for try := 1; ; try++ {
		pasted, err := plain.ReadSecret(ctx, f.In, f.Err, prompt)
		if err != nil {
			return oauth.Result{}, err
		}
		result, err := s.Paste(ctx, pasted)
		var e *oauth.Error
		if !errors.As(err, &e) || !e.Again() || try == maxPastes || !plain.IsTerminal(f.In) {
			return result, err
		}
		f.Note(f.Say(e.Text()))
	}
}
