package setup

import (
	"path/filepath"
	"slices"
	"strings"

	"postier/config/importer"
	"postier/wizard"
)

// mailPrograms are where the mail programs of a desktop keep their accounts, below the home folder.
var mailPrograms = []struct{ name, format, pattern string }{
	{"Thunderbird", "thunderbird", ".thunderbird/*/prefs.js"},
	{"Thunderbird", "thunderbird", "snap/thunderbird/common/.thunderbird/*/prefs.js"},
	{"Thunderbird", "thunderbird", ".var/app/org.mozilla.Thunderbird/.thunderbird/*/prefs.js"},
	{"Evolution", "evolution", ".config/evolution/sources/*.source"},
	{"Claws Mail", "claws", ".claws-mail/accountrc"},
}

// found is an account that a mail program of this user has (C-9): the one of the address that was given, or else the
// program's own default. No one is asked before it is read, so a file that cannot be is passed over.
func (o *Options) found() wizard.Found {
	home := o.Getenv("HOME")
	if home == "" || o.Served != nil || o.Edit != "" || o.Resume || o.unattended() {
		return wizard.Found{}
	}
	for _, program := range mailPrograms {
		files, _ := filepath.Glob(filepath.Join(home, program.pattern)) // the pattern is ours
		for _, path := range files {
			data, err := readForeign(path)
			if err != nil {
				continue
			}
			_, accounts, err := importer.Read(program.format, importer.Source{Path: path, Data: data, Open: readForeign})
			if err != nil {
				continue
			}
			if account, ok := o.wanted(accounts); ok {
				return wizard.Found{
					Program: program.name, Address: account.From.Address, Values: importedValues(account),
				}
			}
		}
	}
	return wizard.Found{}
}

// wanted is the account of the address that was given, or the default one.
func (o *Options) wanted(accounts []importer.Account) (importer.Account, bool) {
	accounts = slices.DeleteFunc(accounts, func(a importer.Account) bool {
		return a.From.Address == "" || o.Address != "" && !strings.EqualFold(a.From.Address, o.Address)
	})
	if len(accounts) == 0 {
		return importer.Account{}, false
	}
	at := max(0, slices.IndexFunc(accounts, func(a importer.Account) bool { return a.Default }))
	return accounts[at], true
}
