package plain

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"postier/internal/secret"
)

// TestEchoIsRestored types a secret on a real terminal: it is not echoed, and echo is back when the input ends.
func TestEchoIsRestored(t *testing.T) {
	t.Parallel()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer controller.Close()
	defer tty.Close()
	var mu sync.Mutex
	var seen bytes.Buffer
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := controller.Read(buf)
			mu.Lock()
			seen.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	echo := func() bool {
		state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		return err == nil && state.Lflag&unix.ECHO != 0
	}
	got := make(chan secret.Value, 1)
	go func() {
		v, _ := ReadSecret(context.Background(), tty, io.Discard, "Password")
		got <- v
	}()
	for deadline := time.Now().Add(5 * time.Second); echo() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if echo() {
		t.Fatal("echo is on while a secret is typed")
	}
	_, _ = controller.WriteString("geheim #1\n")
	if v := <-got; v.Reveal() != "geheim #1" {
		t.Error("another secret was read than was typed")
	}
	if !echo() {
		t.Error("echo stayed off")
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(seen.String(), "geheim") {
		t.Error("the secret was echoed")
	}
}
