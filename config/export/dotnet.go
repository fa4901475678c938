package export

import (
	"bytes"
	"encoding/json"

	"postier/config"
	"postier/internal/locale"
)

var dotnetFormat = Format{
	Name: "dotnet", Summary: locale.Msg("config.export.dotnet"),
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesMechanism, write: writeDotnet,
}

type dotnetMail struct {
	Host            string   `json:"Host"`
	Port            int      `json:"Port"`
	Security        string   `json:"Security"`
	LocalDomain     string   `json:"LocalDomain,omitempty"`
	UserName        string   `json:"UserName,omitempty"`
	Mechanism       string   `json:"Mechanism,omitempty"`
	PasswordFile    string   `json:"PasswordFile,omitempty"`
	PasswordCommand []string `json:"PasswordCommand,omitempty"`
	FromName        string   `json:"FromName,omitempty"`
	FromAddress     string   `json:"FromAddress"`
	ReplyTo         string   `json:"ReplyTo,omitempty"`
}

// writeDotnet writes settings for the configuration of .NET, and a class that sends with them through MailKit. The
// words of Security are MailKit's SecureSocketOptions.
func writeDotnet(s source) ([]Artifact, error) {
	p := s.profile
	mail := dotnetMail{
		Host: s.host(), Port: p.Submission.Port, LocalDomain: p.Submission.Helo,
		Security: map[config.Security]string{
			config.SecurityTLS: "SslOnConnect", config.SecurityStartTLS: "StartTls", config.SecurityNone: "None",
		}[s.security()],
		FromName: p.From.Name, FromAddress: s.from(), ReplyTo: config.AddressASCIIDomain(p.ReplyTo),
	}
	if s.hasPassword() {
		mail.UserName, mail.Mechanism = p.Submission.Username, string(s.mechanism())
		mail.PasswordFile, mail.PasswordCommand = s.reference()
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]dotnetMail{"Mail": mail}); err != nil {
		return nil, err
	}
	return []Artifact{
		{Path: "appsettings.Mail.json", Content: out.Bytes()},
		{Path: "ProfileMail.cs", Content: []byte(dotnetClass)},
	}, nil
}

const dotnetClass = `// builder.Configuration.AddJsonFile("appsettings.Mail.json");
// builder.Services.Configure<ProfileMail>(builder.Configuration.GetSection("Mail"));
using System.Diagnostics;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

public sealed class ProfileMail
{
    public string Host { get; set; } = "";
    public int Port { get; set; }
    public SecureSocketOptions Security { get; set; }
    public string? LocalDomain { get; set; }
    public string? UserName { get; set; }
    public string? Mechanism { get; set; }
    public string? PasswordFile { get; set; }
    public string[]? PasswordCommand { get; set; }
    public string FromName { get; set; } = "";
    public string FromAddress { get; set; } = "";
    public string? ReplyTo { get; set; }

    public async Task SendAsync(MimeMessage message, CancellationToken stop = default)
    {
        message.From.Add(new MailboxAddress(FromName, FromAddress));
        if (!string.IsNullOrEmpty(ReplyTo)) message.ReplyTo.Add(MailboxAddress.Parse(ReplyTo));
        using var client = new SmtpClient { LocalDomain = string.IsNullOrEmpty(LocalDomain) ? null : LocalDomain };
        await client.ConnectAsync(Host, Port, Security, stop);
        if (!string.IsNullOrEmpty(Mechanism)) client.AuthenticationMechanisms.RemoveWhere(name => !name.Equals(Mechanism, StringComparison.OrdinalIgnoreCase));
        if (!string.IsNullOrEmpty(UserName)) await client.AuthenticateAsync(UserName, await SecretAsync(stop), stop);
        await client.SendAsync(message, stop);
        await client.DisconnectAsync(true, stop);
    }

    private async Task<string> SecretAsync(CancellationToken stop)
    {
        if (!string.IsNullOrEmpty(PasswordFile)) return (await File.ReadAllTextAsync(PasswordFile, stop)).TrimEnd('\r', '\n');
        var command = PasswordCommand ?? throw new InvalidOperationException("no password is configured");
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        var secret = (await process.StandardOutput.ReadToEndAsync(stop)).TrimEnd('\r', '\n');
        await process.WaitForExitAsync(stop);
        return process.ExitCode == 0 ? secret : throw new InvalidOperationException("the password could not be read");
    }
}
`
