package bench

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"postier/internal/rehearsal"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/worker"
)

// far puts a provider behind a line on which each round trip takes rtt: the answers of its name service, and every
// connection. It counts the connections to each address.
type far struct {
	b        *testing.B
	provider *rehearsal.Provider
	rtt      time.Duration

	mu      sync.Mutex
	proxies map[string]string
	dialled map[int]int
}

// route leads to a proxy in front of the address; the provider has no IPv6 here, because the faster of two would count.
func (f *far) route(network, host string, port int) (string, bool) {
	address, ok := f.provider.Route(network, host, port)
	if network == "tcp6" {
		return "[::1]:1", true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dialled[port]++
	if f.proxies[address] == "" {
		proxy, err := scripted.NewProxy(address, f.rtt)
		if err != nil {
			f.b.Error(err)
			return address, ok
		}
		f.b.Cleanup(proxy.Close)
		f.proxies[address] = proxy.Addr()
	}
	return f.proxies[address], ok
}

// names forwards questions to the provider's name service, one socket each, and hands over each answer after rtt.
func (f *far) names() string {
	local, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		f.b.Fatal(err)
	}
	f.b.Cleanup(func() { _ = local.Close() })
	go func() {
		question := make([]byte, 4096)
		for {
			n, client, err := local.ReadFrom(question)
			if err != nil {
				return
			}
			upstream, err := net.Dial("udp", f.provider.DNSAddr())
			if err != nil {
				continue
			}
			_, _ = upstream.Write(question[:n])
			go func() {
				defer upstream.Close()
				due := time.Now().Add(f.rtt)
				answer := make([]byte, 4096)
				if n, err := upstream.Read(answer); err == nil {
					time.Sleep(time.Until(due))
					_, _ = local.WriteTo(answer[:n], client)
				}
			}()
		}
	}()
	return local.LocalAddr().String()
}

// BenchmarkSetup is a whole set-up without a person, from the address to the saved configuration, where each round
// trip takes 100 ms. It also counts the connections to the two mail servers and the sign-ins.
func BenchmarkSetup(b *testing.B) {
	var connections, signIns, runs float64
	for b.Loop() {
		provider, err := rehearsal.Start(context.Background(), rehearsal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		line := &far{
			b: b, provider: provider, rtt: 100 * time.Millisecond, proxies: map[string]string{}, dialled: map[int]int{},
		}
		line.setUp()
		for _, port := range []int{25, 465, 587, 143, 993} {
			connections += float64(line.dialled[port])
		}
		signIns += float64(provider.SignIns())
		runs++
		provider.Close()
	}
	b.ReportMetric(connections/runs, "connections")
	b.ReportMetric(signIns/runs, "sign-ins")
}

func (f *far) setUp() {
	preset, err := f.provider.Preset()
	if err != nil {
		f.b.Fatal(err)
	}
	resolver, err := wire.ResolverAt(f.names())
	if err != nil {
		f.b.Fatal(err)
	}
	book := presets.Default().With(preset)
	path := filepath.Join(f.b.TempDir(), "config.json")
	w := &worker.Worker{
		Network: &wire.Network{Resolver: resolver, Roots: f.provider.Roots, Route: f.route}, Book: book, ConfigPath: path,
		NoDraft: true,
	}
	state, requests := wizard.New(wizard.Options{
		Book: book, ConfigPath: path, Address: f.provider.Address, Secret: f.provider.Typed,
		Today: time.Now().Format(time.DateOnly),
	})
	ctx := context.Background()
	c := carrier.Start(ctx, state, requests, w)
	defer c.Close()
	begun := time.Now()
	for c.Step() != wizard.StepDone {
		v := c.Screen()
		if v.Busy == nil {
			c.Answer(wizard.Answer{Action: v.Actions[0].ID})
			continue
		}
		select {
		case o := <-c.Outcomes():
			if o.Report != nil && testing.Verbose() {
				f.b.Logf("%5d ms  %-20s running %v", time.Since(begun).Milliseconds(), o.Report.ID, o.Report.Running)
			}
			if o.Done && testing.Verbose() {
				f.b.Logf("%5d ms  %s done", time.Since(begun).Milliseconds(), o.Kind)
			}
			c.Tell(o)
		case <-time.After(time.Minute):
			f.b.Fatalf("nothing happens at %s", c.Step())
		}
	}
}
