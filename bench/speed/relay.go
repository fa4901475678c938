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
const relayed = 2000

// relays measures both as the relay of a machine.
func (b *bench) relays() error {
	own, err := b.relay()
	if err != nil {
		return fmt.Errorf("postier: %w", err)
	}
	r := row{
		fmt.Sprintf("relay of %d", relayed), fmt.Sprintf("%.0f/s, handed in at %.0f/s", own.all(), own.in()), "", "", "",
		"from the first message handed in to the last one that the sink took, both running as a service and syncing each " +
			"message. Each is handed them in the way in which it takes them fastest, so the ratio is of two relays and not of " +
			"two ways in: postier by one `sendmail -bs` dialog that sends everything ahead, Postfix by ten connections that " +
			"wait for each reply (its own sendmail -bs starts a process a message). postier passes them on over one " +
			"connection that is kept, with a sign-in; Postfix, with its usual settings, inside TLS over up to 20 connections " +
			"without a sign-in, first with a connection a message as it does by default, then with smtp_tls_connection_reuse.",
	}
	for _, reuse := range []bool{false, true} {
		peer, err := b.postfix(reuse)
		if err != nil {
			r.peer += "Postfix not measured: " + err.Error()
			break
		}
		r.peer += fmt.Sprintf("Postfix %.0f/s, handed in at %.0f/s; ", peer.all(), peer.in())
		r.ratio += fmt.Sprintf("%.1f; ", own.all()/peer.all())
	}
	r.peer, r.ratio = strings.TrimSuffix(r.peer, "; "), strings.TrimSuffix(r.ratio, "; ")
	b.table.add(r)
	return nil
}

// passed is how long it took until all was handed in, and until all had arrived.
type passed struct{ accepted, arrived time.Duration }

func (p passed) in() float64  { return relayed / p.accepted.Seconds() }
func (p passed) all() float64 { return relayed / p.arrived.Seconds() }

// relay has a service running, hands it messages and waits until the sink has all of them.
func (b *bench) relay() (passed, error) {
	_ = os.RemoveAll(b.state())
	service := exec.Command(b.program, "queue", "run", "--daemon")
	service.Env = b.environment()
	if err := service.Start(); err != nil {
		return passed{}, err
	}
	defer func() {
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait()
		_ = os.RemoveAll(b.state())
	}()
	return b.untilTaken(func() error {
		_, err := b.postier(forever, dialog(relayed), "sendmail", "-odq", "-bs")
		return err
	})
}

// untilTaken hands messages in, and measures until the sink has taken the last one.
func (b *bench) untilTaken(handIn func() error) (passed, error) {
	start, before := time.Now(), b.sink.messages.Load()
	if err := handIn(); err != nil {
		return passed{}, err
	}
	accepted := time.Since(start)
	for end := start.Add(5 * time.Minute); b.sink.messages.Load()-before < relayed; {
		if time.Now().After(end) {
			return passed{}, fmt.Errorf("only %d arrived", b.sink.messages.Load()-before)
		}
		time.Sleep(time.Millisecond)
	}
	return passed{accepted, time.Since(start)}, nil
}

// dialogs is how many callers hand messages to Postfix side by side: one process of it serves each.
const dialogs = 10

// postfix is relay by an instance of Postfix with its usual settings.
func (b *bench) postfix(reuse bool) (passed, error) {
	if os.Geteuid() != 0 {
		return passed{}, errors.New("only root can start it")
	}
	folder := filepath.Join(b.folder, fmt.Sprintf("postfix-%t", reuse))
	for _, part := range []string{"etc", "spool", "data"} {
		if err := os.MkdirAll(filepath.Join(folder, part), 0o755); err != nil {
			return passed{}, err
		}
	}
	own := runTool("chown", "postfix", filepath.Join(folder, "data"))
	if err := errors.Join(os.Chmod(b.folder, 0o711), own); err != nil {
		return passed{}, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return passed{}, err
	}
	address := listener.Addr().String()
	_ = listener.Close()
	main := fmt.Sprintf(mainCF, folder, b.sink.port)
	if reuse {
		main += "smtp_tls_connection_reuse = yes\n"
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(folder, "etc", "main.cf"), []byte(main), 0o644),
		os.WriteFile(filepath.Join(folder, "etc", "master.cf"), []byte(address+masterCF), 0o644),
		runTool("postfix", "-c", filepath.Join(folder, "etc"), "start"),
	); err != nil {
		return passed{}, err
	}
	defer func() { _ = runTool("postfix", "-c", filepath.Join(folder, "etc"), "stop") }()
	return b.untilTaken(func() error { return handAll(address, relayed) })
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
tlsproxy unix - - n - 0 tlsproxy
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
