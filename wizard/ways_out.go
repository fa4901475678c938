package wizard

import (
	"slices"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
)

// accountCauses are failures that no setting gets round: only somebody else can lift them, or they come with the
// account or the line. Another way to send is offered in place.
var accountCauses = []check.Cause{
	check.CauseAccountSuspended, check.CauseAccountNotActivated, check.CauseBasicAuthDisabled,
	check.CauseSMTPAuthDisabled, check.CauseProviderImpossible, check.CauseProviderRetirement,
	check.CauseOAuthNotConfigured, check.CauseSendingQuotaExceeded, check.CauseIPBlocklisted,
	check.CauseDynamicIPRefused, check.CauseReputationLow,
}

// passwordCauses are refusals of passwords as such. A sign-in by browser gets round them.
var passwordCauses = []check.Cause{check.CauseBasicAuthDisabled, check.CauseProviderRetirement}

// browserInstead offers the sign-in by browser where passwords are refused and it can be used.
func (s *State) browserInstead(f Report) Action {
	if _, _, ok := s.browserSignIn(); !ok || s.byBrowser() || !slices.Contains(passwordCauses, f.Cause) {
		return Action{}
	}
	return Action{ID: ActBrowser, Label: Msg("wizard.action.browser"), Key: 'b'}
}

func (s *State) serviceAction() Action {
	return Action{ID: ActService, Label: Msg("wizard.action.service"), Key: 'v'}
}

// blockedActions are the ways out where the address's own provider cannot be used: a service for an address in a domain
// of one's own, and another address where the domain is the provider's.
func (s *State) blockedActions() []Action {
	if s.providersDomain() {
		return []Action{addressAction(), s.serviceAction()}
	}
	return []Action{s.serviceAction(), addressAction()}
}

// providersDomain reports whether the address is in a domain of its provider. No service can vouch for such an address.
func (s *State) providersDomain() bool {
	_, found := s.opts.Book.Domain(config.AddressDomain(s.draft.From.Address))
	return found
}

// chooseService shows the services that send in place of the mailbox's server. What was typed so far is kept.
func (s *State) chooseService() {
	if s.draft.Step.Number() < StepProvider.Number() || s.draft.Step == StepDone {
		return
	}
	if s.draft.Step != StepProvider {
		s.abandonStep()
		s.arrive(StepProvider, false)
	}
	s.abandon(DoDiscover)
	s.clearTyped(FieldProvider)
	s.choosing, s.services = true, true
}

func (s *State) servicesScreen(v *Screen) {
	v.Intro = []Words{Msg("wizard.services.intro", "address", s.draft.From.Address)}
	if s.providersDomain() {
		domain := config.AddressDomain(s.draft.From.Address)
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.services.domain", "domain", domain)})
	}
	v.Fields = []Field{s.serviceList()}
}

// serviceList offers the services, first those whose price is known to begin with a free plan.
func (s *State) serviceList() Field {
	f := s.field(FieldProvider, KindSearch, "")
	f.Help = Msg("wizard.field.provider.help-service")
	var others []Choice
	for _, e := range s.opts.Book.All() {
		if e.Kind != presets.KindTransactional {
			continue
		}
		choice := Choice{Value: e.ID, Label: entryName(e), Detail: Msg("wizard.kind." + string(e.Kind))}
		if plan := s.planWords(e.ID); !plan.Empty() {
			choice.Detail = plan
			f.Choices = append(f.Choices, choice)
			continue
		}
		others = append(others, choice)
	}
	f.Choices = append(f.Choices, others...)
	return f
}

// planWords say how many messages a service sends in its smallest plan; empty where that is not known.
func (s *State) planWords(id string) Words {
	p, ok := s.opts.Book.Get(id)
	if !ok {
		return Words{}
	}
	for _, limit := range p.Limits {
		if limit.Plan.Empty() || limit.What != "messages_per_day" && limit.What != "messages_per_month" {
			continue
		}
		text := presets.Text{}
		for _, lang := range locale.All() {
			text[lang] = locale.For(lang).T("wizard.services."+limit.What, "n", limit.Value, "plan", limit.Plan.In(lang))
		}
		return Translated(text)
	}
	return Words{}
}
