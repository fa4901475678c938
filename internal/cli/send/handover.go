package send

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"postier/config"
	"postier/delivery"
	"postier/internal/addressfield"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// handOver opens the message in the user's own mail program instead of sending it, by a mailto link (P-11, P-14).
// Without a screen or a program for it, the link is the result.
func (o *SendOptions) handOver(ctx context.Context) error {
	if err := o.readBody(); err != nil {
		return err
	}
	link := mailto(addressesOf(o.To), addressesOf(o.CC), o.Subject, o.Body)
	opened := false
	files, err := o.attached()
	if err != nil {
		return err
	}
	attached := false
	if name := opener(o.Factory); name != "" && !o.JSON {
		args := []string{link}
		switch filepath.Base(name) {
		case xdgEmail:
			attached = true
			args = nil
			for _, file := range files {
				args = append(args, "--attach", file)
			}
			args = append(args, link)
		case rundll:
			args = []string{"url.dll,FileProtocolHandler", link}
		}
		opened = exec.CommandContext(ctx, name, args...).Run() == nil
	}
	result := map[string]any{"mailto": link, "opened": opened}
	if len(files) > 0 {
		result["attach"] = files
	}
	return o.Result(result, func() {
		if opened {
			o.Println(o.T("sendcli.handover.opened"))
		} else {
			o.Note(o.T("sendcli.handover.link"))
			o.Raw(link) // percent-encoded: it holds nothing that a terminal would act on
		}
		if len(files) > 0 && (!opened || !attached) {
			o.Note(o.T("sendcli.handover.attach"))
			for _, file := range files {
				o.Note("  " + safetext.Escape(file))
			}
		}
	})
}

// attached are the files to attach, by absolute path: the mail program has a folder of its own. One that cannot be read
// is refused before anything is opened.
func (o *SendOptions) attached() ([]string, error) {
	var files []string
	for _, file := range o.Attach {
		path, err := filepath.Abs(file)
		if err == nil {
			var opened *os.File
			if opened, err = os.Open(path); err == nil {
				_ = opened.Close()
			}
		}
		if err != nil {
			return nil, o.unreadable(file, err)
		}
		files = append(files, path)
	}
	return files, nil
}

// decided takes what the rules of the profile make of the recipients: nobody on the suppression list, and in test mode
// the test address alone. The mail program sends, so limits and switched-off profiles do not matter.
func (o *SendOptions) decided(d delivery.Decision) error {
	if d.Block == delivery.BlockKind || d.Block == delivery.BlockRecipients {
		return command.Failure(command.BlockCode(d.Block), blockWords(o.Factory, d))
	}
	if d.TestMode {
		o.To, o.CC = d.Recipients, nil
		o.Note(o.T("sendcli.dry.test", "originals", strings.Join(d.Originals, ", ")))
		return nil
	}
	for _, s := range d.Suppressed {
		o.Note(suppressedWords(o.Factory, s))
		o.To, o.CC = without(o.To, s.Address), without(o.CC, s.Address)
	}
	return nil
}

func without(mailboxes []string, address string) []string {
	var out []string
	for _, mailbox := range mailboxes {
		if list := addressesOf([]string{mailbox}); len(list) != 1 || list[0] != address {
			out = append(out, mailbox)
		}
	}
	return out
}

func addressesOf(mailboxes []string) []string {
	var out []string
	for _, mailbox := range mailboxes {
		list, _ := addressfield.List(mailbox)
		for _, a := range list {
			out = append(out, a.Address)
		}
	}
	return out
}

// xdgEmail is the one opener that takes files as well; a mailto link carries none (RFC 6068 §7: they would be the
// link's author's choice).
const xdgEmail = "xdg-email"

// rundll opens a link with the program that Windows has for its scheme.
const rundll = "rundll32.exe"

// opener is the program that opens a mailto link here, empty where there is no screen or no such program.
func opener(f *command.Factory) string {
	names := []string{xdgEmail}
	switch {
	case runtime.GOOS == "darwin":
		names = []string{"open"}
	case runtime.GOOS == "windows":
		names = []string{rundll}
	case f.Getenv("DISPLAY") == "" && f.Getenv("WAYLAND_DISPLAY") == "":
		return ""
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// mailto makes the link of RFC 6068 §2: addresses without names, everything else as header fields, every line end as
// %0D%0A (§5).
func mailto(to, cc []string, subject, body string) string {
	var fields []string
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name+"="+value)
		}
	}
	add("cc", joinAddresses(cc))
	add("subject", percent(strings.Join(strings.Fields(subject), " ")))
	body = strings.ReplaceAll(strings.TrimRight(body, "\r\n"), "\r\n", "\n")
	add("body", percent(strings.ReplaceAll(body, "\n", "\r\n")))
	link := "mailto:" + joinAddresses(to)
	if len(fields) > 0 {
		link += "?" + strings.Join(fields, "&")
	}
	return link
}

func joinAddresses(list []string) string {
	var out []string
	for _, address := range list {
		out = append(out, strings.ReplaceAll(percent(config.AddressASCIIDomain(address)), "%40", "@"))
	}
	return strings.Join(out, ",")
}

// percent encodes everything but unreserved characters; a space is %20 and never a plus sign (RFC 6068 §5).
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
