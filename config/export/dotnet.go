package export

import "postier/internal/locale"

var dotnetFormat = Format{
	Name: "dotnet", Summary: locale.Msg("config.export.dotnet"),
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesMechanism, write: writeDotnet,
}

// writeDotnet writes settings for the configuration of .NET, and a class that sends with them through MailKit. The
// words of Security are MailKit's SecureSocketOptions.
func writeDotnet(s source) ([]Artifact, error) {
	_, argv := s.reference()
	words := map[string]string{"arglines": joinQuoted(argv, ",\n      ", jsonQuote)}
	return s.fill(words, template{"appsettings.Mail.json", all(jsonQuote), `{
  "Mail": {
    "Host": {host},
    "Port": {=port},
{?tls}    "Security": "SslOnConnect",
{?starttls}    "Security": "StartTls",
{?none}    "Security": "None",
    "LocalDomain": {helo},
    "UserName": {user},
    "Mechanism": {mechanism},
    "PasswordFile": {file},
{?program}    "PasswordCommand": [
{?program}      {=arglines}
{?program}    ],
    "FromName": {name},
{^reply}    "FromAddress": {from}
{?reply}    "FromAddress": {from},
    "ReplyTo": {reply}
  }
}
`}, template{"ProfileMail.cs", nil, dotnetClass})
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
