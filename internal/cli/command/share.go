package command

import (
	"context"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/safefile"
	"postier/share"
	"postier/share/local"
	"postier/share/relay"
)

// Sharing lets one helper look on at whatever this run shows. It is one for the whole run, so that a helper who looks
// at the home screen also sees the wizard that is opened from there.
func (f *Factory) Sharing() *share.Presenter {
	switch {
	case f.sharing != nil:
	case f.Served == nil && f.Vendor != nil && f.Vendor.Support.Relay != "":
		f.sharing = share.NewPresenter(f.atRelay)
	case f.Served == nil:
		f.sharing = share.NewPresenter(local.Machine{Getenv: f.Getenv}.Open)
	case f.Served.Offer != nil:
		f.sharing = share.NewPresenter(f.Served.Offer)
	}
	return f.sharing
}

// atRelay offers at the server that the vendor's file names. The connection goes out, over the one dialer.
func (f *Factory) atRelay(ctx context.Context) (share.Opening, error) {
	network, err := f.Network()
	if err != nil {
		return nil, err
	}
	host, address := f.Vendor.Support.RelayAddress()
	data, err := safefile.Read(f.Vendor.Support.KeyFile)
	if err != nil {
		return nil, relay.NoKey(host, err)
	}
	key, err := gossh.ParsePrivateKey(data)
	if err != nil {
		return nil, relay.NoKey(host, err)
	}
	return relay.Relay{
		Address: address, Host: host, HostKey: f.Vendor.Support.HostKey, Key: key, Dial: network.DialContext,
	}.Open(ctx)
}

// EndSharing tells the helper that the run is over, or that the person is gone where it was cut off.
func (f *Factory) EndSharing(cutOff bool) {
	if cutOff {
		f.sharing.HangUp()
	}
	f.sharing.Close()
}
