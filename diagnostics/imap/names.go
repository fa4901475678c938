package imap

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"postier/presets"
)

// doubtful names mean "waiting to be sent" to some programs and "sent" to others: anything else goes first.
var doubtful = map[string]bool{
	"outbox": true, "outgoing": true, "исходящие": true, "发件箱": true, "送信箱": true, "דואר יוצא": true,
}

// preferred are the folder names that the provider's preset lists.
func preferred(provider string) []string {
	if p, ok := presets.Default().Get(provider); ok {
		return p.SentFolders
	}
	return nil
}

// junkNames are the names of the folder that takes unwanted mail, by language. They are compared without regard to
// case.
var junkNames = []string{
	"Junk", "Spam", "Junk E-mail", "Junk Email", "Junk-E-Mail", "Junkmail", "Bulk", "Bulk Mail", "Quarantine",
	"Indésirables", "Courrier indésirable", "Pourriel", "Pourriels", "Spams", // fr
	"Spamverdacht", "Unerwünscht", "Unbekannt", // de
	"Correo no deseado", "No deseado", "Correo basura", // es
	"Lixo Eletrônico", "Lixo eletrônico", "Lixo eletrónico", // pt
	"Posta indesiderata", "Indesiderata", // it
	"Ongewenst", "Ongewenste e-mail", // nl
	"Wiadomości-śmieci", "Niechciane", // pl
	"Nevyžádaná pošta", "Nevyžiadaná pošta", // cs, sk
	"Levélszemét", "Nedorite", // hu, ro
	"Спам", "Нежелательная почта", "Небажана пошта", "Нежелана поща", // ru, uk, bg
	"Skräppost", "Søppelpost", "Uønsket mail", "Uønsket e-post", "Roskaposti", // sv, nb, da, fi
	"Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία", "İstenmeyen", "Önemsiz", "Gereksiz", // el, tr
	"垃圾邮件", "垃圾郵件", "迷惑メール", "스팸", "스팸메일함", "البريد غير المرغوب", "דואר זבל", // zh, ja, ko, ar, he
}

// fold makes names comparable: composed, without case and with single blanks for the separators that programs put in.
func fold(name string) string {
	name = strings.ToLower(norm.NFC.String(name))
	name = strings.NewReplacer("_", " ", "-", " ").Replace(name)
	return strings.Join(strings.Fields(name), " ")
}
