<?php
// Sends standard input as a text through a profile of postier: php send.php RECIPIENT SUBJECT <text
declare(strict_types=1);

function stop(int $code, string $text): never
{
    fwrite(STDERR, $text . "\n");
    exit($code);
}

function configuration(): string
{
    if (getenv('POSTIER_CONFIG')) {
        return getenv('POSTIER_CONFIG');
    }
    $home = (getenv('XDG_CONFIG_HOME') ?: getenv('HOME') . '/.config') . '/postier/config.json';
    return is_file($home) ? $home : '/etc/postier/config.json';
}

function secret(string $config, string $name, array $credential): string
{
    if ($credential['kind'] === 'file') {
        $path = $credential['path'];
        // A relative path starts at the configuration's folder.
        return rtrim(file_get_contents($path[0] === '/' ? $path : dirname($config) . '/' . $path), "\r\n");
    }
    $process = proc_open(['postier', '--config', $config, 'secret', 'get', $name], [1 => ['pipe', 'w']], $pipes);
    $secret = rtrim(stream_get_contents($pipes[1]), "\r\n");
    if (proc_close($process) !== 0) {
        stop(78, 'the password could not be read');
    }
    return $secret;
}

/** One dialog with a submission server (RFC 5321, RFC 6409). */
final class Submission
{
    /** @var resource */
    private $stream;

    public function __construct(private array $profile)
    {
        $server = $profile['submission'];
        $security = $server['security'];
        if ($security === 'auto') {
            $security = $server['port'] === 465 ? 'tls' : 'starttls';
        }
        $tls = ['peer_name' => $server['host']];
        if (!empty($profile['tls']['ca_file'])) {
            $tls['cafile'] = $profile['tls']['ca_file'];
        }
        $address = ($security === 'tls' ? 'tls' : 'tcp') . '://' . $server['host'] . ':' . $server['port'];
        $stream = stream_socket_client($address, $errno, $error, 20, STREAM_CLIENT_CONNECT, stream_context_create(['ssl' => $tls]));
        if ($stream === false) {
            stop(69, $error);
        }
        $this->stream = $stream;
        stream_set_timeout($stream, 60);
        $this->expect(220);
        $this->hello();
        if ($security === 'starttls') {
            $this->command('STARTTLS', 220);
            // RFC 3207 §6: nothing may follow the reply before the handshake.
            if (stream_get_meta_data($stream)['unread_bytes'] > 0 || !stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_TLS_CLIENT)) {
                stop(76, 'STARTTLS failed');
            }
            $this->hello();
        }
    }

    public function login(string $user, string $password): void
    {
        $this->command('AUTH PLAIN ' . base64_encode("\0" . $user . "\0" . $password), 235, 77); // RFC 4616
    }

    public function send(string $from, array $recipients, string $message): void
    {
        $this->command('MAIL FROM:<' . $from . '>', 250);
        foreach ($recipients as $recipient) {
            $this->command('RCPT TO:<' . $recipient . '>', 250);
        }
        $this->command('DATA', 354);
        // RFC 5321 §4.5.2: a line that begins with a dot gets another one.
        $this->command(preg_replace('/^\./m', '..', rtrim($message, "\r\n")) . "\r\n.", 250, 75);
        fwrite($this->stream, "QUIT\r\n");
    }

    private function hello(): void
    {
        $this->command('EHLO ' . ($this->profile['submission']['helo'] ?? '[127.0.0.1]'), 250);
    }

    private function command(string $line, int $code, int $exit = 1): void
    {
        fwrite($this->stream, $line . "\r\n");
        $this->expect($code, $exit);
    }

    private function expect(int $code, int $exit = 1): void
    {
        do {
            $line = fgets($this->stream, 8192);
            if ($line === false) {
                stop(75, 'the server ended the connection');
            }
        } while (isset($line[3]) && $line[3] === '-');
        if ((int) substr($line, 0, 3) !== $code) {
            stop($exit, 'the server said: ' . preg_replace('/[^\x20-\x7e]/', '?', trim($line)));
        }
    }
}

if ($argc !== 3 || preg_match('/[\r\n\0<>]/', $argv[1]) || preg_match('/[\r\n\0]/', $argv[2])) {
    stop(64, 'send.php RECIPIENT SUBJECT <text');
}
$config = configuration();
$document = json_decode(file_get_contents($config), true, 32, JSON_THROW_ON_ERROR);
$name = $document['default'];
$profile = $document['profiles'][$name];
if (!$profile['enabled']) {
    stop(78, "the profile $name is switched off");
}
$recipients = [$argv[1], ...($profile['bcc'] ?? [])];
if ($profile['test_mode']['enabled'] ?? false) {
    $recipients = [$profile['test_mode']['address']];
}
$author = $profile['from'];
$word = static fn (string $text): string => '=?UTF-8?B?' . base64_encode($text) . '?='; // RFC 2047
$headers = [
    'From: ' . (isset($author['name']) ? $word($author['name']) . ' <' . $author['address'] . '>' : $author['address']),
    'To: ' . $argv[1],
    'Subject: ' . $word($argv[2]),
    'Date: ' . date(DATE_RFC2822),
    'Message-ID: <' . bin2hex(random_bytes(16)) . substr($author['address'], strrpos($author['address'], '@')) . '>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: base64',
];
if (!empty($profile['reply_to'])) {
    $headers[] = 'Reply-To: ' . $profile['reply_to'];
}
$submission = new Submission($profile);
if (($profile['submission']['auth'] ?? 'auto') !== 'none') {
    $submission->login($profile['submission']['username'], secret($config, $name, $profile['credential']));
}
$submission->send($author['address'], $recipients, implode("\r\n", $headers) . "\r\n\r\n" . chunk_split(base64_encode(stream_get_contents(STDIN))));
