package worker

import (
	"context"
	"errors"
	"slices"
	"sync"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/oauth"
	"postier/internal/secret"
	"postier/presets"
	"postier/wizard"
)

// signIns are the sign-ins by browser under way. A conversation has one at a time, so a new one takes the place of the
// others.
type signIns struct {
	mu    sync.Mutex
	begun map[int]*oauth.SignIn
}

func (s *signIns) keep(id int, one *oauth.SignIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = map[int]*oauth.SignIn{id: one}
}

func (s *signIns) find(id int) (*oauth.SignIn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.begun[id]
	return one, ok
}

func (w *Worker) identity(r wizard.Request) (oauth.Provider, bool) {
	if p, ok := w.Book.Get(r.Draft.Provider); ok {
		if o, ok := account.Endpoints(p); ok && o.Name == r.SignIn.Provider {
			return o, true
		}
	}
	return account.EndpointsNamed(w.Book, r.SignIn.Provider)
}

// pendingSuffix marks the file of tokens that no profile refers to yet. No profile has such a name, since names of
// profiles contain no full stop.
const pendingSuffix = ".draft"

// tokens returns the store that holds the tokens of a sign-in.
func (w *Worker) tokens(s wizard.SignIn, d wizard.Draft) oauth.Store {
	store := w.store()
	switch {
	case s.Pending:
		return oauth.Store{Path: store.OAuthFile("", config.Credential{Path: credential.OAuthPath(s.Name + pendingSuffix)})}
	case d.Editing && d.Credential.Kind == config.CredentialOAuth:
		return oauth.Store{Path: store.OAuthFile(d.Profile, d.Credential)}
	}
	return oauth.Store{Path: store.OAuthFile(s.Name, config.Credential{})}
}

func (w *Worker) reference(s wizard.SignIn, d wizard.Draft) oauth.Reference {
	return oauth.Reference{Path: w.tokens(s, d).Path, Provider: s.Provider, Tenant: s.Tenant, ClientID: s.ClientID}
}

// accounts lists the names that the signed-in mailbox may have.
func accounts(d wizard.Draft) []string {
	out := []string{d.Address}
	if d.Submission.Username != "" && d.Submission.Username != d.Address {
		out = append(out, d.Submission.Username)
	}
	return out
}

// findSignIn looks for a sign-in that was made before: in this conversation before the connection was lost, or for the
// saved profile.
func (w *Worker) findSignIn(r wizard.Request, out *wizard.Outcome) {
	for _, pending := range []bool{true, false} {
		s := r.SignIn
		s.Pending = pending
		account, ok := w.tokens(s, r.Draft).Present(w.reference(s, r.Draft))
		mine := func(name string) bool { return oauth.SameMailbox(name, account) }
		if !ok || account != "" && !slices.ContainsFunc(accounts(r.Draft), mine) {
			continue
		}
		s.Account = account
		out.SignIn = &s
		return
	}
}

func (w *Worker) beginSignIn(ctx context.Context, r wizard.Request, out *wizard.Outcome) {
	provider, ok := w.identity(r)
	if !ok {
		signInFailed(out, &oauth.Error{Problem: oauth.NotConfigured, Provider: r.SignIn.Provider})
		return
	}
	clientSecret := secret.Value{}
	if w.ClientSecret != nil {
		var err error
		if clientSecret, err = w.ClientSecret(ctx, r.SignIn.Provider); err != nil {
			out.Err = sentence(err)
			return
		}
	}
	pending := r.SignIn
	pending.Pending = true
	s, err := (&oauth.Client{Network: w.Network, Now: w.Now}).Begin(ctx, oauth.Request{
		Provider: provider, Tenant: r.SignIn.Tenant, Flow: oauth.Flow(r.Flow), ClientID: r.SignIn.ClientID,
		ClientSecret: clientSecret,
		Accounts:     accounts(r.Draft), Path: w.tokens(pending, r.Draft).Path,
	})
	if err != nil {
		signInFailed(out, err)
		return
	}
	w.signIns.keep(r.ID, s)
	out.Prompt = &wizard.SignInPrompt{
		Flow: presets.OAuthFlow(s.Prompt.Flow), URL: s.Prompt.URL, Code: s.Prompt.Code, QR: s.Prompt.QR(),
		Complete: s.Prompt.Complete != "",
		Lasts:    s.Prompt.Expires.Sub(w.now()), Redirect: s.Prompt.Redirect,
	}
}

// signIn waits for the approval, or uses the pasted address, which is the secret of the request.
func (w *Worker) signIn(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	s, ok := w.signIns.find(r.Begun)
	if !ok {
		out.Err = wizard.Msg("wizard.signin.lost")
		return
	}
	var result oauth.Result
	var err error
	if s.Prompt.Flow == oauth.Code {
		result, err = s.Paste(ctx, r.Secret)
	} else {
		shown := oauth.Waiting
		result, err = s.Wait(ctx, func(state oauth.State) {
			if state.Phase != shown {
				shown = state.Phase
				tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Phase: string(state.Phase)})
			}
		})
	}
	if err != nil {
		signInFailed(out, err)
		out.Approved = errors.Is(err, &oauth.Error{Problem: oauth.Unwritable})
		return
	}
	made := r.SignIn
	made.Pending, made.Account = true, result.Account.Raw()
	out.SignIn = &made
}

// signInFailed fills in how a sign-in failed: the sentence that says what happened, and the cause with its page.
func signInFailed(out *wizard.Outcome, err error) {
	var e *oauth.Error
	if !errors.As(err, &e) {
		out.Err = sentence(err)
		return
	}
	out.Err, out.Again = wizard.Words{Msg: e.Text()}, e.Again()
	if !out.Again {
		out.Reports = []wizard.Report{tokenReport("oauth.sign-in", e)}
	}
}

func tokenReport(id string, e *oauth.Error) wizard.Report {
	r := ReportOf(diagnostics.Result{ID: check.ID(id), Status: check.Fail, Cause: e.Cause()})
	r.Reply, r.Details = e.Said, []string{e.Error()}
	return r
}

// authorise fetches the access token with which the checks of a request sign in. Without a token it reports the given
// check, the sign-in, as failed.
func (w *Worker) authorise(ctx context.Context, r *wizard.Request, check check.ID, out *wizard.Outcome) bool {
	if r.Draft.SecretType != config.SecretOAuth || !r.SignedIn || r.Draft.SignIn == nil {
		return true
	}
	source := account.TokenSource(w.Network, w.Book)
	source.Client.Now = w.Now
	access, err := source.Access(ctx, w.reference(*r.Draft.SignIn, r.Draft))
	var e *oauth.Error
	switch {
	case errors.As(err, &e):
		out.Reports = []wizard.Report{tokenReport(string(check), e)}
	case err != nil:
		out.Err = sentence(err)
	default:
		r.Secret = access.Token
	}
	return err == nil
}

// signOut removes the tokens of a sign-in that belongs to no profile.
func (w *Worker) signOut(s wizard.SignIn, d wizard.Draft) error {
	if !s.Pending || !config.ValidateName(s.Name).Empty() {
		return nil
	}
	return w.tokens(s, d).Remove()
}
