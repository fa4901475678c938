package presets

import "slices"

// junkNames are the names of the folder that takes unwanted mail, by language.
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

// JunkNames returns the names of folders for unwanted mail, decoded to UTF-8. They are last parts of a name. The caller
// may change the result.
func JunkNames() []string { return slices.Clone(junkNames) }
