package presets

import "slices"

// sentNames are the names under which mail programs and servers keep what was sent, decoded from modified UTF-7
// (RFC 3501 §5.1.3). They are matched, not shown. Within a language the more common name stands first.
var sentNames = []string{
	// English, and programs
	"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent mail", "Sent-Mail", "SentMail", "sent-mail", "Sent Objects",
	// French
	"Envoyés", "Éléments envoyés", "Messages envoyés", "Courrier envoyé", "Courriers envoyés", "Envoyes", "Objets envoyés",
	// German
	"Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten", "Gesendete E-Mails",
	"Postausgang gesendet",
	"Inviata", "Posta inviata", "Inviati", "Messaggi inviati", "Elementi inviati", // Italian
	"Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado", // Spanish
	"Itens Enviados", "Itens enviados", "Mensagens enviadas", "E-mails enviados", "Enviadas", // Portuguese
	"Elements enviats", "Enviats", "Missatges enviats", // Catalan
	"Enviado", "Elementos enviados", // Galician
	"Bidalitakoak", "Bidalita", // Basque
	"Verzonden items", "Verzonden", "Verzonden berichten", "Verstuurde berichten", // Dutch
	"Skickat", "Skickade objekt", "Skickade meddelanden", // Swedish
	"Sendt", "Sendte elementer", "Sendt post", "Sendte e-poster", "Sende elementer", // Norwegian and Danish
	"Sendt mail", "Sendte beskeder", // Danish
	"Sent atriði", "Send skeyti", "Sendur póstur", // Icelandic
	"Lähetetyt", "Lähetetyt viestit", "Lähetetyt kohteet", // Finnish
	"Saadetud", "Saadetud kirjad", "Saadetud üksused", // Estonian
	"Nosūtītās", "Nosūtītie vienumi", "Nosūtītie", // Latvian
	"Išsiųsta", "Išsiųsti", "Išsiųsti elementai", "Išsiųsti laiškai", // Lithuanian
	"Wysłane", "Elementy wysłane", "Wysłane elementy", "Poczta wysłana", // Polish
	"Odeslané", "Odeslaná pošta", "Odeslané zprávy", // Czech
	"Odoslané", "Odoslaná pošta", "Odoslané správy", // Slovak
	"Elküldött elemek", "Elküldött", "Elküldött üzenetek", "Elküldött levelek", // Hungarian
	"Trimise", "Elemente trimise", "Mesaje trimise", // Romanian
	"Poslano", "Poslani elementi", "Poslana pošta", // Slovenian
	"Poslano", "Poslane stavke", "Poslane poruke", // Croatian and Bosnian
	"Послато", "Послате ставке", "Poslato", "Poslate stavke", // Serbian
	"Изпратени", "Изпратени елементи", "Изпратена поща", // Bulgarian
	"Пратени", "Испратени", // Macedonian
	"Отправленные", "Отправленные элементы", // Russian
	"Надіслані", "Надіслані елементи", "Відправлені", // Ukrainian
	"Адпраўленыя", "Дасланыя", // Belarusian
	"Απεσταλμένα", "Σταλμένα", "Απεσταλμένα στοιχεία", // Greek
	"Gönderilmiş Öğeler", "Gönderilmiş", "Gönderilmiş Postalar", "Gönderilenler", "Gönderilen Öğeler", // Turkish
	"Të dërguara", "Artikujt e dërguar", // Albanian
	"ուղարկված", "Ուղարկված", // Armenian
	"გაგზავნილი",                               // Georgian
	"Seolta", "Anfonwyd", "Eitemau a Anfonwyd", // Irish, Welsh
	"送信済み", "送信済みアイテム", "送信済みメール", "送信済みトレイ", // Japanese
	"已发送", "已发送邮件", "已发送的邮件", "已发送消息", // Chinese, simplified
	"寄件備份", "寄件備份匣", "已寄郵件", "已傳送的郵件", "已寄出", // Chinese, traditional
	"보낸 편지함", "보낸편지함", "보낸메일함", "보낸 메일함", // Korean
	"ส่งแล้ว", "รายการที่ส่ง", "จดหมายที่ส่งแล้ว", // Thai
	"Đã gửi", "Thư đã gửi", "Mục đã Gửi", // Vietnamese
	"Terkirim", "Item Terkirim", "Item Dihantar", "Dihantar", // Indonesian and Malay
	"Ipinadala", "Naipadala", // Filipino
	"المرسلة", "العناصر المرسلة", "البريد المرسل", "الرسائل المرسلة", // Arabic
	"פריטים שנשלחו", "נשלחו", "דואר שנשלח", // Hebrew
	"ارسال\u200cشده", "ارسال شده", "موارد ارسال شده", // Persian
	"भेजे गए", "भेजी गई मेल", "प्रेषित", // Hindi
	"প্রেরিত", "পাঠানো", // Bengali
	"அனுப்பியவை", "அனுப்பப்பட்டது", // Tamil
	"Iliyotumwa", "Gestuur", "Gestuurde items", // Swahili, Afrikaans
	// These mean "waiting to be sent" to some programs (Orange and older webmails mean "sent"), so any other name is
	// better.
	"OUTBOX", "Outgoing", "Исходящие", "送信箱", "发件箱", "דואר יוצא",
}

// SentNames returns the folder names that hold sent mail at one server or another, in more than forty languages,
// decoded to UTF-8. They are last parts of a name: a server's prefix (INBOX.) is not among them. The caller may change
// the result.
func SentNames() []string {
	out := make([]string, 0, len(sentNames))
	for _, n := range sentNames {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
