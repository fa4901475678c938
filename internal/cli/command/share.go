package command

import (
	"postier/share"
	"postier/share/local"
)

// Sharing lets one helper look on at whatever this run shows. It is one for the whole run, so that a helper who looks
// at the home screen also sees the wizard that is opened from there.
func (f *Factory) Sharing() *share.Presenter {
	switch {
	case f.sharing != nil:
	case f.Served == nil:
		f.sharing = share.NewPresenter(local.Machine{Getenv: f.Getenv}.Open)
	case f.Served.Offer != nil:
		f.sharing = share.NewPresenter(f.Served.Offer)
	}
	return f.sharing
}

// ShareThrough makes the offers of this run by open: the server of a session knows the codes, and not its machine.
func (f *Factory) ShareThrough(open share.Opener) { f.sharing = share.NewPresenter(open) }

// EndSharing tells the helper that the run is over.
func (f *Factory) EndSharing() { f.sharing.Close() }
