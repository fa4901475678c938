package export

import "postier/internal/locale"

var dotnetFormat = Format{
	Name: "dotnet", Summary: locale.Msg("config.export.dotnet"),
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesMechanism | carriesCAFile, write: writeDotnet,
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
    "AuthorityFile": {ca},
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
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

public sealed class ProfileMail
{
    public string Host { get; set; } = "";
    public int Port { get; set; }
    public SecureSocketOptions Security { get; set; }
    public string? AuthorityFile { get; set; }
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
        if (!string.IsNullOrEmpty(AuthorityFile)) client.ServerCertificateValidationCallback = Trusts;
        await client.ConnectAsync(Host, Port, Security, stop);
        if (!string.IsNullOrEmpty(Mechanism)) client.AuthenticationMechanisms.RemoveWhere(name => !name.Equals(Mechanism, StringComparison.OrdinalIgnoreCase));
        if (!string.IsNullOrEmpty(UserName)) await client.AuthenticateAsync(UserName, await SecretAsync(stop), stop);
        await client.SendAsync(message, stop);
        await client.DisconnectAsync(true, stop);
    }

    // A certificate that the system does not trust has to be for this server, and by the authority of AuthorityFile.
    private bool Trusts(object sender, X509Certificate? certificate, X509Chain? seen, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate == null) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(AuthorityFile!);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // serverAuth
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // few authorities of this kind publish a list
        if (seen != null) chain.ChainPolicy.ExtraStore.AddRange(seen.ChainPolicy.ExtraStore); // what the server sent
        using var leaf = new X509Certificate2(certificate);
        return chain.Build(leaf);
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
