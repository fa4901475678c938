package imap

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// sentNames are the names under which servers and mail programs keep sent mail, by language; the most widespread first.
// They are compared without regard to case.
var sentNames = []string{
	"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent-Mail", "sent-mail", "SentBox", "Outbox/Sent",
	"Envoyés", "Éléments envoyés", "Messages envoyés", "Courrier envoyé", "Objets envoyés", "Envoyes", "Elements envoyes", // fr
	"Gesendet", "Gesendete Objekte", "Gesendete Elemente", "Gesendete Nachrichten", "Gesendete Mails", // de
	"Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado", // es
	"Itens enviados", "Itens Enviados", "Mensagens enviadas", "Enviadas", "E-mails enviados", // pt
	"Posta inviata", "Inviati", "Inviata", "Elementi inviati", "Messaggi inviati", // it
	"Verzonden", "Verzonden items", "Verzonden berichten", "Verstuurd", // nl
	"Wysłane", "Elementy wysłane", "Wiadomości wysłane", // pl
	"Odeslané", "Odeslaná pošta", "Odeslané zprávy", // cs
	"Odoslané", "Odoslaná pošta", "Odoslané správy", // sk
	"Elküldött", "Elküldött elemek", "Elküldött üzenetek", // hu
	"Trimise", "Elemente trimise", "Mesaje trimise", // ro
	"Отправленные", "Отправленные письма", "Исходящие", // ru
	"Надіслані", "Відправлені", // uk
	"Изпратени", "Изпратени елементи", // bg
	"Poslano", "Poslane stavke", "Poslane poruke", // hr
	"Poslato", "Послато", // sr
	"Poslana pošta", "Poslani elementi", // sl
	"Skickat", "Skickade", "Skickade objekt", "Skickade meddelanden", // sv
	"Sendt", "Sendte elementer", "Sendte meldinger", "Sendt post", // nb, da
	"Lähetetyt", "Lähetetyt kohteet", "Lähetetyt viestit", // fi
	"Saadetud", "Saadetud üksused", // et
	"Nosūtītie", "Nosūtītās ziņas", "Nosūtītie vienumi", // lv
	"Išsiųsta", "Išsiųsti", "Išsiųsti laiškai", // lt
	"Απεσταλμένα", "Σταλμένα", // el
	"Gönderilmiş", "Gönderilmiş Öğeler", "Gönderilenler", "Gönderilmiş postalar", // tr
	"Enviats", "Elements enviats", // ca
	"Bidalita", "Bidalitakoak", // eu
	"Sendar", "Send skilaboð", "Sendir hlutir", // is
	"المرسلة", "البريد المرسل", "العناصر المرسلة", // ar
	"דואר יוצא", "פריטים שנשלחו", "נשלחו", // he
	"ارسال شده",                                   // fa
	"已发送", "已发送邮件", "已傳送", "寄件備份", "寄件備份匣", "已寄出", // zh
	"送信済み", "送信済みアイテム", "送信済みメール", "送信済みトレイ", // ja
	"보낸 편지함", "보낸편지함", "보낸 메일함", // ko
	"Đã gửi", "Thư đã gửi", // vi
	"ส่งแล้ว", "รายการที่ส่ง", // th
	"Terkirim", "Item Terkirim", // id
	"भेजे गए", // hi
}

// junkNames are the same for the folder that takes unwanted mail.
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
