# shellcheck shell=bash
# The wizard signs in by device code, full screen and as plain lines. Its provider is one of the vendor's own that takes no
# password; its mail server refuses connections, so that step 6 is where the way ends.

# kept_safely: the tokens lie in one file of the person's own, and nowhere else: not in the draft, nor in anything that was shown.
kept_safely() {
  local files token found
  mapfile -t files < <(find "$FOLDER" -name '*.oauth.json')
  [[ ${#files[@]} == 1 ]] || die "${#files[@]} files with tokens"
  [[ $(stat -c %a "${files[0]}") == 600 ]] || die "others may read the tokens"
  [[ -s $FOLDER/draft.json && -s $SHOTS/raw && -s $SHOTS/text ]] || die "there is no draft, or no screen to look at"
  for name in access_token refresh_token; do
    token=$(node -p "JSON.parse(require('fs').readFileSync('${files[0]}', 'utf8')).$name ?? ''")
    [[ -n $token ]] || die "there is no $name"
    found=$(grep -rlF -- "$token" "$FOLDER" "$SHOTS")
    [[ $found == "${files[0]}" ]] || die "the $name is in $found"
  done
  [[ ! -e $FOLDER/config.json ]] || die "a configuration was begun"
}

open_wizard screen setup
shows "Étape 1/12"
type_text anna@oauth.postier.test
press Enter
shows "Étape 2/12"
shows "Entrée Continuer"
press Enter
shows "Étape 5/12"
shows "Entrée Obtenir un code"
press Enter
new_code
[[ $(on_tmux display-message -p -t person '#{pane_width}x#{pane_height}') == 80x24 ]] || die "the terminal is not 80x24"
pass "wizard: address, code and warning at step 5, on 80x24"

in_browser anna@oauth.postier.test decline
shows "Autorisation non accordée"
shows "Étape 5/12"
pass "wizard: declined"

shows "Entrée Se reconnecter"
press Enter
new_code
in_browser paul@oauth.postier.test agree
shows "paul@oauth.postier.test"
shows "Autorisation insuffisante"
shows "Étape 5/12"
pass "wizard: a wrong account"

shows "Entrée Se reconnecter"
on_stage life=5
press Enter
shows "Le code a expiré"
shows "Étape 5/12"
[[ -z $(find "$FOLDER" -name '*.oauth.json') ]] || die "a sign-in that failed left tokens"
pass "wizard: a code that ran out"

# Twice ill, then busy: each state lasts six seconds, long enough to be seen on a slow machine.
shows "Entrée Se reconnecter"
on_stage answers=503,503,slow_down
press Enter
new_code
shows "Le fournisseur rencontre un problème"
shows "le fournisseur demande de patienter"
in_browser anna@oauth.postier.test agree
shows "Étape 6/12" 60
kept_safely
pass "wizard: signed in after trouble at the provider, and on to step 6 by itself"

close_terminal
open_wizard screen setup --resume
shows "Connecté en tant que anna@oauth.postier.test"
kept_safely
close_terminal
pass "wizard: after a dropped line the sign-in is still there"

# agree answers with Enter once the plain wizard asks for a choice.
asks() { [[ $(screen | grep -v '^ *$' | tail -n 1) == "Votre choix"* ]]; }
agree() {
  until_true 30 asks || { screen >&2; die "the plain wizard does not ask"; }
  press Enter
}

open_wizard plain --plain setup
shows "Adresse e-mail"
type_text anna@oauth.postier.test
press Enter
shows "Étape 2 sur 12"
agree
shows "Entrée = Obtenir un code"
agree
new_code
in_browser anna@oauth.postier.test decline
shows "Autorisation non accordée"
shows "Entrée = Se reconnecter"
agree
new_code
in_browser anna@oauth.postier.test agree
shows "Étape 6 sur 12" 60
kept_safely
close_terminal
pass "wizard: declined, then signed in, as plain lines"
