package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/oauth"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/internal/wire"
	"postier/presets"
	"postier/tui/plain"
	"postier/wizard/worker"
)

type tokenOptions struct {
	show, check, signIn, paste bool
	clientID, tenant           string
}

func (a *app) tokenCommand() *cobra.Command {
	o := &tokenOptions{}
	cmd := &cobra.Command{Use: "token PROFILE", Short: a.T("oauth.token.short"), Args: a.args(1, 1)}
	flags := cmd.Flags()
	flags.BoolVar(&o.show, "show", false, a.T("cli.flag.show"))
	flags.BoolVar(&o.check, "check", false, a.T("oauth.token.flag-check"))
	flags.BoolVar(&o.signIn, "sign-in", false, a.T("oauth.token.flag-sign-in"))
	flags.BoolVar(&o.paste, "paste", false, a.T("oauth.token.flag-paste"))
	flags.StringVar(&o.clientID, "client-id", "", a.T("oauth.token.flag-client-id"))
	flags.StringVar(&o.tenant, "tenant", "", a.T("oauth.token.flag-tenant"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		network, err := a.network()
		if err != nil {
			return err
		}
		return a.token(cmd.Context(), oauthSource(network, a.book()), args[0], o)
	}
	return cmd
}

// oauthSource gives access tokens by the endpoints of the providers' presets, and by no others.
func oauthSource(network *wire.Network, book *presets.Book) *oauth.Source {
	return worker.TokenSource(network, book)
}

// credentials is the store of a configuration that can also ask for access tokens. The network is made when one is
// needed.
func (a *app) credentials(configPath string) *credential.Store {
	store := credential.For(configPath)
	store.OAuth = credential.OAuthTokens{
		Folder: store.Folder,
		Access: func(ctx context.Context, path string, reference config.Credential) (secret.Value, error) {
			network, err := a.network()
			if err != nil {
				return secret.Value{}, err
			}
			access, err := oauthSource(network, a.book()).Access(ctx, oauthReference(path, reference))
			return access.Token, err
		},
	}
	return store
}

func oauthReference(path string, c config.Credential) oauth.Reference {
	return oauth.Reference{Path: path, Provider: c.Provider, Tenant: c.Tenant, ClientID: c.ClientID}
}

// token prints an access token for a program that reads it through a pipe, or says whether the sign-in stands, or
// renews it with the person's help.
func (a *app) token(ctx context.Context, source *oauth.Source, name string, o *tokenOptions) error {
	if !o.check && !o.signIn && !o.show && plain.IsTerminal(a.out) {
		return usagef(a.T("oauth.token.terminal"))
	}
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	if p.Credential.Kind != config.CredentialOAuth {
		return &exitError{exitConfig, a.T("oauth.token.other-kind", "profile", safetext.FromRemote(name))}
	}
	if o.signIn {
		return a.signInAgain(ctx, source, doc, name, o)
	}
	ask := source.Access
	if o.check {
		ask = source.Renew
	}
	path := credential.For(doc.Path).OAuthFile(name, p.Credential)
	access, err := ask(ctx, oauthReference(path, p.Credential))
	if err != nil {
		return a.withWayOut(err, name)
	}
	return a.printToken(access, p.Submission.Username, o.check)
}

// withWayOut adds the command that mends a sign-in that no longer stands.
func (a *app) withWayOut(err error, name string) error {
	var e *oauth.Error
	if !errors.As(err, &e) || e.Problem != oauth.Expired && e.Problem != oauth.NotSignedIn && e.Problem != oauth.Damaged {
		return err
	}
	again := a.T("oauth.token.again", "command", safetext.FromRemote("postier token "+name+" --sign-in"))
	return &exitError{e.ExitCode(), a.Say(e.Text()) + "\n" + again}
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

func (a *app) printToken(access oauth.Access, username string, check bool) error {
	if !a.json {
		if check {
			a.println(a.T("oauth.token.good", "until", access.Expires.Local().Format(time.DateTime)))
		} else {
			a.println(access.Token.Reveal())
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
	encoder := json.NewEncoder(a.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// signInAgain signs a profile in with plain lines. The configuration changes only when another client or directory was
// named.
func (a *app) signInAgain(ctx context.Context, source *oauth.Source, doc *config.Document, name string,
	o *tokenOptions,
) error {
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	reference := p.Credential
	if o.clientID != "" {
		reference.ClientID = o.clientID
	}
	if o.tenant != "" {
		reference.Tenant = o.tenant
	}
	provider, _ := source.Provider(reference.Provider)
	provider.Name = reference.Provider
	request := oauth.Request{
		Provider: provider, Tenant: reference.Tenant, ClientID: reference.ClientID,
		Accounts: []string{p.Submission.Username, p.From.Address},
		Path:     credential.For(doc.Path).OAuthFile(name, reference),
	}
	if o.paste {
		request.Flow = oauth.Code
	}
	signIn, err := source.Client.Begin(ctx, request)
	if err != nil {
		return err
	}
	result, err := a.askToSignIn(ctx, signIn, request.Accounts[0])
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
		a.tell(a.T("oauth.prompt.done-unnamed"))
		return nil
	}
	a.tell(a.T("oauth.prompt.done", "account", result.Account))
	return nil
}

// tell prints a line for the person: on standard error, as standard output may be a file.
func (a *app) tell(text string) { _, _ = a.err.Write([]byte(text + "\n")) }

// askToSignIn shows what to do elsewhere and waits for it.
func (a *app) askToSignIn(ctx context.Context, s *oauth.SignIn, account string) (oauth.Result, error) {
	a.tell(a.T("oauth.prompt.open"))
	a.tell("")
	a.tell(safetext.Escape(s.Prompt.URL))
	a.tell("")
	if s.Prompt.Flow == oauth.Code {
		return a.askForPaste(ctx, s, account)
	}
	a.tell(a.T("oauth.prompt.code", "code", safetext.FromRemote(s.Prompt.Code)))
	a.tell(a.T("oauth.prompt.account", "account", safetext.FromRemote(account)))
	a.tell(a.T("oauth.prompt.warning"))
	var shown oauth.Phase
	return s.Wait(ctx, func(state oauth.State) {
		if state.Phase != shown {
			shown = state.Phase
			a.tell(a.Say(state.Text()))
		}
	})
}

// maxPastes is how often a person may paste something else before it ends.
const maxPastes = 5

func (a *app) askForPaste(ctx context.Context, s *oauth.SignIn, account string) (oauth.Result, error) {
	a.tell(a.T("oauth.prompt.account", "account", safetext.FromRemote(account)))
	// the question adds its own
	prompt := strings.TrimRight(a.T("oauth.prompt.paste", "redirect", safetext.FromRemote(s.Prompt.Redirect)), " :")
	for try := 1; ; try++ {
		pasted, err := plain.ReadSecret(ctx, a.in, a.err, prompt)
		if err != nil {
			return oauth.Result{}, err
		}
		result, err := s.Paste(ctx, pasted)
		var e *oauth.Error
		if !errors.As(err, &e) || !e.Again() || try == maxPastes || !plain.IsTerminal(a.in) {
			return result, err
		}
		a.tell(a.Say(e.Text()))
	}
}
