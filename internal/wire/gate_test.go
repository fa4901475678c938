package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ways are the names that open a connection or ask a name server, by import path. A name that ends in * is a prefix.
var ways = map[string][]string{
	"net":                  {"Dial*", "Dialer", "DefaultResolver", "Lookup*", "Resolver"},
	"crypto/tls":           {"Dial*", "Dialer"},
	"net/http":             {"Get", "Head", "Post*", "DefaultClient", "DefaultTransport", "Transport"},
	"net/smtp":             {"Dial", "SendMail"},
	"github.com/miekg/dns": {"Client", "Dial*", "Exchange*"},
	"github.com/emersion/go-imap/v2/imapclient": {"Dial*"},
	"github.com/emersion/go-smtp":               {"Dial*", "SendMail*"},
	"github.com/wneessen/go-mail":               {"NewClient", "QuickSend"},
	"github.com/wneessen/go-mail/smtp":          {"Dial", "SendMail"},
	"golang.org/x/crypto/ssh":                   {"Dial"},
}

// allowed are the places that may, each with its reason.
var allowed = map[string]string{
	"internal/wire/network.go net.Dialer":                   "the one dialer",
	"internal/wire/local.go net.Dialer":                     "the socket of this machine's own service",
	"internal/wire/https.go net/http.Transport":             "the one transport, which dials through Network",
	"internal/wire/resolver.go github.com/miekg/dns.Client": "the chosen resolver",
	"internal/wire/resolver.go net.DefaultResolver": "host addresses by the system, when no resolver " +
		"is pinned",
	"internal/wire/route.go net.Dial":                               "a datagram socket by which the kernel is asked for a route; nothing is sent",
	"internal/rehearsal/deadport/deadport_linux.go net.DialTimeout": "the demo's own port on loopback",
	"internal/scripted/proxy.go net.Dial":                           "a test's own server on loopback",
	"internal/rehearsal/nameserver/nameserver.go net.Dialer":        "the demo's own server on loopback",
	"internal/rehearsal/nameserver/nameserver.go net.Resolver":      "the demo's own server on loopback",
	"bench/speed/list.go github.com/miekg/dns.Dial":                 "a measurement's own server on loopback",
	"bench/served/main.go net.Dial":                                 "a measurement's own server on loopback",
	"bench/served/main.go golang.org/x/crypto/ssh.Dial":             "a measurement's own server on loopback",
	"bench/speed/relay.go net.Dial":                                 "a measurement's own server on loopback",
	"internal/rehearsal/listeners.go net.Dialer":                    "the demo's own servers on loopback",
}

// TestOneDialer walks the tree: whatever opens a connection goes through Network, so that the policy, the deadlines and
// the caps hold everywhere (docs/security.md T15).
func TestOneDialer(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	insecure := 0
	for _, file := range sources(t) {
		for _, use := range uses(t, file) {
			switch {
			case use == "crypto/tls.Config.InsecureSkipVerify":
				insecure++
				if file != "internal/wire/tls.go" {
					t.Errorf("%s skips the verification of certificates", file)
				}
			case allowed[file+" "+use] != "":
				found[file+" "+use] = true
			default:
				t.Errorf("%s uses %s; connections go through wire.Network", file, use)
			}
		}
	}
	if insecure != 1 {
		t.Errorf("InsecureSkipVerify stands %d times in the tree, want 1", insecure)
	}
	for place := range allowed {
		if !found[place] {
			t.Errorf("%q is allowed and no longer there: take it off the list", place)
		}
	}
}

const root = "../.."

// sources lists the Go files of the module without its tests, relative to the root.
func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != root:
			return filepath.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			rel, err := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// uses lists what a file uses of ways, and HTTP clients without a transport of their own, which fall back on the
// default.
func uses(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	packages := imports(t, tree)
	var list []string
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if ident, ok := n.X.(*ast.Ident); ok && forbidden(packages[ident.Name], n.Sel.Name) {
				list = append(list, packages[ident.Name]+"."+n.Sel.Name)
			}
		case *ast.CompositeLit:
			if selector, ok := n.Type.(*ast.SelectorExpr); ok && selector.Sel.Name == "Client" && !hasKey(n, "Transport") {
				if ident, ok := selector.X.(*ast.Ident); ok && packages[ident.Name] == "net/http" {
					list = append(list, "net/http.Client without a Transport")
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "InsecureSkipVerify" {
				list = append(list, "crypto/tls.Config.InsecureSkipVerify")
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if selector, ok := left.(*ast.SelectorExpr); ok && selector.Sel.Name == "InsecureSkipVerify" {
					list = append(list, "crypto/tls.Config.InsecureSkipVerify")
				}
			}
		}
		return true
	})
	return list
}

func imports(t *testing.T, tree *ast.File) map[string]string {
	t.Helper()
	packages := map[string]string{}
	for _, spec := range tree.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(path.Base(full), "go-")
		if spec.Name != nil {
			name = spec.Name.Name
		}
		packages[name] = full
	}
	return packages
}

func forbidden(pkg, name string) bool {
	return slices.ContainsFunc(ways[pkg], func(way string) bool {
		prefix, wild := strings.CutSuffix(way, "*")
		return name == way || (wild && strings.HasPrefix(name, prefix))
	})
}

func hasKey(literal *ast.CompositeLit, name string) bool {
	return slices.ContainsFunc(literal.Elts, func(e ast.Expr) bool {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		key, ok := pair.Key.(*ast.Ident)
		return ok && key.Name == name
	})
}
