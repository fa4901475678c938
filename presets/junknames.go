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

// sentBeside names the folder for sent mail in the language of a mailbox, by the names of other folders in it.
var sentBeside = map[string]string{
	"Brouillons": "Envoyés", "Corbeille": "Envoyés", "Entwürfe": "Gesendet", "Papierkorb": "Gesendet",
	"Borradores": "Enviados", "Papelera": "Enviados", "Bozze": "Inviata", "Cestino": "Inviata",
	"Concepten": "Verzonden", "Prullenbak": "Verzonden",
}

// NewSentName returns the name for a new folder for sent mail, in the language of the folders that there are; the
// names are last parts, decoded to UTF-8.
func NewSentName(folders []string) string {
	for _, folder := range folders {
		if name, known := sentBeside[folder]; known {
			return name
		}
	}
	return "Sent"
}

// otherNames are the names of the folders for drafts, deleted mail and the like, by language.
var otherNames = []string{
	"Drafts", "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Outbox", "Templates", "Archive", "Archives",
	"All Mail", "Important", "Starred", "Notes", "Calendar", "Contacts", "Tasks", "Journal", "Sync Issues",
	"Brouillons", "Corbeille", "Éléments supprimés", "Messages supprimés", "Boîte d'envoi", "Modèles", // fr
	"Boîte de réception", "Contacts suggérés", "Calendrier", "Tâches",
	"Entwürfe", "Papierkorb", "Gelöschte Elemente", "Gelöscht", "Gelöschte Objekte", "Postausgang", "Vorlagen", // de
	"Posteingang", "Archiv", "Kalender", "Kontakte", "Aufgaben", "Notizen",
	"Borradores", "Papelera", "Eliminados", "Elementos eliminados", "Plantillas", "Bandeja de salida", // es
	"Bozze", "Cestino", "Posta eliminata", "Modelli", "Archivio", // it
	"Rascunhos", "Lixeira", "Lixo", "Itens Excluídos", "Concepten", "Prullenbak", "Verwijderde items", // pt, nl
	"Szkice", "Kopie robocze", "Kosz", "Koncepty", "Koš", "Черновики", "Корзина", "Удаленные", // pl, cs, ru
	"草稿", "已删除", // zh
	"草稿箱", "垃圾桶", "下書き", "ゴミ箱", "임시보관함", "휴지통", "Utkast", "Papperskorg", "Kladder", "Papirkurv", // zh, ja, ko, sv, da
}

// OtherNames returns the names of folders that are for other things than sent mail, those for unwanted mail included.
// They are last parts of a name. The caller may change the result.
func OtherNames() []string { return slices.Concat(otherNames, junkNames) }
