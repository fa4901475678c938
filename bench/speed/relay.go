package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// relayed is how many messages are handed in and passed on.
const relayed = 5000

// relay has a service running, hands it messages and waits until the sink has all of them.
func (b *bench) relay(program string) {
	_ = os.RemoveAll(b.state())
	service := exec.Command(program, "queue", "run", "--daemon")
	service.Env = b.environment()
	if err := service.Start(); err != nil {
		fmt.Println("  relay:", err)
		return
	}
	defer func() {
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait()
	}()
	b.untilTaken("relay by queue run --daemon", relayed, func() error {
		return b.call(forever, dialog(relayed), program, "sendmail", "-odq", "-bs").err
	})
}

// untilTaken measures from the moment when messages are handed in until the sink has taken the last one.
func (b *bench) untilTaken(what string, messages int, handIn func() error) {
	start, before := time.Now(), b.sink.messages.Load()
	if err := handIn(); err != nil {
		fmt.Printf("  %s: %v\n", what, err)
		return
	}
	accepted := time.Since(start)
	for end := start.Add(drainLimit * 3); b.sink.messages.Load()-before < int64(messages); {
		if time.Now().After(end) {
			fmt.Printf("  %s: only %d arrived\n", what, b.sink.messages.Load()-before)
			return
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(start)
	fmt.Printf("  %-28s %d in %6.2f s: %8.1f a second; accepted after %.2f s\n", what, messages, took.Seconds(),
		float64(messages)/took.Seconds(), accepted.Seconds())
}

// dialogs is how many callers hand messages to Postfix side by side: one process of it serves each.
const dialogs = 10

// postfix is relay by an instance of Postfix with its usual settings: it syncs each message as well, and passes it on
// inside TLS, without a sign-in.
func (b *bench) postfix() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can measure it")
	}
	folder := filepath.Join(b.folder, "postfix")
	for _, part := range []string{"etc", "spool", "data"} {
		if err := os.MkdirAll(filepath.Join(folder, part), 0o755); err != nil {
			return err
		}
	}
	own := runTool("chown", "postfix", filepath.Join(folder, "data"))
	if err := errors.Join(os.Chmod(b.folder, 0o711), own); err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	_ = listener.Close()
	main := fmt.Sprintf(mainCF, folder, b.sink.port)
	if err := errors.Join(
		os.WriteFile(filepath.Join(folder, "etc", "main.cf"), []byte(main), 0o644),
		os.WriteFile(filepath.Join(folder, "etc", "master.cf"), []byte(address+masterCF), 0o644),
		runTool("postfix", "-c", filepath.Join(folder, "etc"), "start"),
	); err != nil {
		return err
	}
	defer func() { _ = runTool("postfix", "-c", filepath.Join(folder, "etc"), "stop") }()
	b.untilTaken("relay by Postfix", relayed, func() error { return handAll(address, relayed) })
	return nil
}

// runTool runs a program of Postfix.
func runTool(argv ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if said, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, said)
	}
	return nil
}

// handAll hands messages to an SMTP server, over several connections.
func handAll(address string, messages int) error {
	errs := make(chan error, dialogs)
	var all sync.WaitGroup
	for range dialogs {
		all.Go(func() {
			if err := hand(address, messages/dialogs); err != nil {
				errs <- err
			}
		})
	}
	all.Wait()
	close(errs)
	return <-errs
}

// hand says what a caller that waits for its replies says, with PIPELINING.
func hand(server string, messages int) error {
	conn, err := net.Dial("tcp4", server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string, codes ...string) error {
		if _, err := conn.Write([]byte(text)); err != nil {
			return err
		}
		for _, code := range codes {
			line, err := in.ReadString('\n')
			for err == nil && len(line) > 3 && line[3] == '-' {
				line, err = in.ReadString('\n')
			}
			if err != nil || !strings.HasPrefix(line, code) {
				return fmt.Errorf("%w: %q", errors.Join(err, errors.New("the server said")), line)
			}
		}
		return nil
	}
	if err := say("EHLO bench\r\n", "220", "250"); err != nil {
		return err
	}
	for range messages {
		envelope := "MAIL FROM:<" + address + ">\r\nRCPT TO:<" + address + ">\r\nDATA\r\n"
		if err := say(envelope, "250", "250", "354"); err != nil {
			return err
		}
		if err := say(strings.ReplaceAll(text, "\n", "\r\n")+".\r\n", "250"); err != nil {
			return err
		}
	}
	return say("QUIT\r\n", "221")
}

const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
mail_owner = postfix
myhostname = bench.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:%[2]d
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
`

const masterCF = ` inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
