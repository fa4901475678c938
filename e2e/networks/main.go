// Command networks is what stands at the far end of the networks of e2e/parts/13-networks.sh: mail servers, silent
// ports, a captive portal, and one resolver for each way in which resolvers misbehave. It runs inside a network
// namespace, whose addresses it takes, writes its authority into a folder, says "ready", and ends when its standard
// input is closed.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

const (
	host = "mail.postier.test"
	mail = "198.51.100.25" // everything works here
	// half drops port 465 by a rule of the part, two has an IPv6 address that stays silent, portal is the captive
	// portal's.
	half, two, two6, portal = "198.51.100.26", "198.51.100.27", "2001:db8::27", "198.51.100.80"
)

// zone has the names of the part, and those of the public DNS that control questions ask for.
const zone = `
com.       300 IN NS  a.gtld-servers.net.
gmail.com. 300 IN MX  5 gmail-smtp-in.l.google.com.
postier.test. 300 IN SOA ns.postier.test. hostmaster.postier.test. 1 3600 600 86400 30
postier.test. 300 IN MX 10 mail.postier.test.
postier.test. 300 IN TXT "v=spf1 mx -all"
_dmarc.postier.test. 300 IN TXT "v=DMARC1; p=none; rua=mailto:anna@postier.test"
mail.postier.test. 300 IN A ` + mail + `
half.postier.test. 300 IN A ` + half + `
loop.postier.test. 300 IN CNAME loop2.postier.test.
loop2.postier.test. 300 IN CNAME loop.postier.test.
two.postier.test.  300 IN A ` + two + `
two.postier.test.  300 IN AAAA ` + two6 + `
`

// portalResolver is the last octet of the resolver that leads every name to the captive portal.
const portalResolver = 77

// resolvers are the last octets of their addresses, 198.51.100.N, and what each does.
var resolvers = map[int]scripted.Behaviour{
	53: "", 61: scripted.NXDomain, 62: scripted.Invent, 63: scripted.Silent, 64: scripted.NoEDNS, 65: scripted.BareEDNS,
	66: scripted.NotImpl, 67: scripted.NoTCP, 68: scripted.OnlyUDP, 69: scripted.WrongID, 70: scripted.Garbage,
	71: scripted.ServFail, 72: scripted.NoData, 73: scripted.Truncate, 74: scripted.TruncAll,
	75: scripted.Forged, 76: scripted.FormErr, portalResolver: scripted.Invent,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: networks FOLDER")
		os.Exit(64)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "networks:", err)
		os.Exit(1)
	}
}

func serve(dir string) error {
	for last, behaviour := range resolvers {
		names, err := scripted.ServeDNSAt(fmt.Sprintf("198.51.100.%d:53", last), zone)
		if err != nil {
			return err
		}
		defer names.Close()
		names.BehaveAll(behaviour)
		if last == portalResolver {
			names.SetInvented(netip.MustParseAddr(portal))
		}
	}
	ca, err := certificates.New(time.Time{})
	if err != nil {
		return err
	}
	if _, err := ca.WriteFile(dir); err != nil {
		return err
	}
	certificate, err := ca.Certificate(certificates.Good, host, "half.postier.test", "two.postier.test")
	if err != nil {
		return err
	}
	for _, address := range []string{mail, half, two} {
		if err := mailServers(address, &certificate); err != nil {
			return err
		}
	}
	for _, port := range []string{"465", "587", "993"} {
		if err := accept(net.JoinHostPort(two6, port), silent); err != nil {
			return err
		}
		if err := accept(net.JoinHostPort(portal, port), redirect); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// mailServers opens submission and mailbox on one address. They end with the process.
func mailServers(address string, certificate *tls.Certificate) error {
	for port, implicit := range map[string]bool{"465": true, "587": false} {
		_, err := scripted.ServeSMTP(scripted.Options{
			Certificate: certificate, ImplicitTLS: implicit, Listen: net.JoinHostPort(address, port),
		})
		if err != nil {
			return err
		}
	}
	_, err := scripted.ServeIMAP(scripted.Options{
		Certificate: certificate, ImplicitTLS: true, Listen: net.JoinHostPort(address, "993"),
	})
	return err
}

// accept passes each connection of a port on.
func accept(address string, answer func(net.Conn)) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return nil
}

// silent reads and says nothing.
func silent(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// redirect answers the first octets in HTTP, as a captive portal does on whatever port it caught.
func redirect(conn net.Conn) {
	first := make([]byte, 512)
	_, _ = conn.Read(first)
	_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n")
	_ = conn.Close()
}
