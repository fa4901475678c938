package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/rehearsal/deadport"
	"postier/internal/scripted"
	"postier/internal/secret"
)

// TestScripts runs the scripts of the areas named below in testdata/script. The program runs inside the test:
// `postier [<FILE] ARGS…` calls run, `code N` compares its exit code. `demo [FAULT]` starts the demonstration's servers
// and sets $SMTP, $SMTPPORT, $IMAPPORT, $SUBPORT, $DNS and $CA; `zone FILE` starts a name server with a zone; `refused
// NAME` and `deaf NAME` take a port and put its number into $NAME.
func TestScripts(t *testing.T) {
	t.Parallel()
	var files []string
	for _, area := range []string{"diagnose", "report", "profile"} {
		found, err := filepath.Glob("testdata/script/" + area + "-*.txtar")
		if err != nil || len(found) == 0 {
			t.Fatal("no scripts", area, err)
		}
		files = append(files, found...)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			keepsValues(env)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("LANG", "C")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"postier": scriptPostier, "code": scriptCode, "demo": scriptDemo, "sign-ins": scriptSignIns,
			"zone": scriptZone, "refused": scriptRefused, "listen": scriptListen, "secret": scriptSecret,
		},
	})
}

// keepsValues has a script remember the last exit code and its demo.
func keepsValues(env *testscript.Env) {
	env.Values["code"], env.Values["provider"] = new(int), new(*rehearsal.Provider)
}

func scriptPostier(ts *testscript.TestScript, neg bool, args []string) {
	var in []byte
	if len(args) > 0 && strings.HasPrefix(args[0], "<") {
		in, args = []byte(ts.ReadFile(args[0][1:])), args[1:]
	}
	for i, arg := range args { // paths in flags are relative to the script's folder
		if name, value, ok := strings.Cut(arg, "=@"); ok {
			args[i] = name + "=" + ts.MkAbs(value)
		}
	}
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"postier"}, args...),
		command.Streams{In: bytes.NewReader(in), Out: &stdout, Err: &stderr, Getenv: ts.Getenv})
	*ts.Value("code").(*int) = code
	_, _ = ts.Stdout().Write(stdout.Bytes())
	_, _ = ts.Stderr().Write(stderr.Bytes())
	if neg != (code != 0) {
		ts.Fatalf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := *ts.Value("code").(*int); (got == want) == neg {
		ts.Fatalf("exit code %d", got)
	}
}

func scriptDemo(ts *testscript.TestScript, _ bool, args []string) {
	fault := ""
	if len(args) > 0 {
		fault = args[0]
	}
	p, err := rehearsal.Start(context.Background(), rehearsal.Options{Lang: locale.English, Fault: fault})
	ts.Check(err)
	ts.Defer(p.Close)
	*ts.Value("provider").(**rehearsal.Provider) = p
	ca, err := p.CAFile(ts.MkAbs("."))
	ts.Check(err)
	port := func(host string, port int) string {
		address, ok := p.Route("tcp4", host, port)
		if !ok {
			return strconv.Itoa(port)
		}
		_, number, err := net.SplitHostPort(address)
		ts.Check(err)
		return number
	}
	ts.Check(p.Names().Remove(rehearsal.SMTPHost, "AAAA"))
	ts.Check(p.Names().Remove(rehearsal.IMAPHost, "AAAA"))
	ts.Setenv("POSTIER_RESOLVER", p.DNSAddr())
	ts.Setenv("POSTIER_CA_FILE", ca)
	ts.Setenv("SMTP", rehearsal.SMTPHost)
	ts.Setenv("IMAP", rehearsal.IMAPHost)
	ts.Setenv("ADDRESS", rehearsal.Address)
	ts.Setenv("SMTPPORT", port(rehearsal.SMTPHost, p.Submission.Port))
	ts.Setenv("SMTPSEC", string(p.Submission.Security))
	ts.Setenv("SUBPORT", port(rehearsal.SMTPHost, 587))
	ts.Setenv("IMAPPORT", port(rehearsal.IMAPHost, p.IMAP.Port))
	ts.Check(os.WriteFile(ts.MkAbs("password"), []byte(p.Typed.Reveal()), 0o600))
}

// scriptSignIns is sign-ins N: so many passwords were judged since the demo began.
func scriptSignIns(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n := (*ts.Value("provider").(**rehearsal.Provider)).SignIns(); n != want {
		ts.Fatalf("%d sign-ins", n)
	}
}

func scriptZone(ts *testscript.TestScript, _ bool, args []string) {
	server, err := scripted.ServeDNS(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Defer(server.Close)
	ts.Setenv("POSTIER_RESOLVER", server.Addr())
}

// scriptRefused takes a port that refuses connections.
func scriptRefused(ts *testscript.TestScript, _ bool, args []string) {
	dead, err := deadport.Refused("127.0.0.1")
	ts.Check(err)
	ts.Defer(dead.Close)
	_, port, err := net.SplitHostPort(dead.Addr())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// scriptListen accepts connections on ADDRESS:PORT and says nothing.
func scriptListen(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", args[0])
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	if len(args) > 1 {
		_, port, err := net.SplitHostPort(listener.Addr().String())
		ts.Check(err)
		ts.Setenv(args[1], port)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
}

// scriptSecret asserts that no encoding of the secret in a file stands in the output of the last command.
func scriptSecret(ts *testscript.TestScript, _ bool, args []string) {
	value := secret.New(strings.TrimSpace(ts.ReadFile(args[0])))
	for _, name := range append([]string{"stdout", "stderr"}, args[1:]...) {
		text := ts.ReadFile(name)
		for _, form := range value.Forms(rehearsal.Address) {
			if strings.Contains(text, form) {
				ts.Fatalf("%s holds the secret as %s", name, fmt.Sprintf("%.4s…", form))
			}
		}
	}
}
