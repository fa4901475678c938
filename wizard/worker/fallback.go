package worker

import "postier/config"

// Fallback is a profile that is saved together with the person's own, for messages that no other profile can send.
type Fallback struct {
	Name    string
	Profile *config.Profile
}

// keepFallback adds the platform's profile to the configuration unless it is in it already. It changes neither an
// existing profile of that name nor a fallback that someone chose.
func (w *Worker) keepFallback(doc *config.Document) error {
	f := w.Fallback
	if f == nil || f.Profile == nil {
		return nil
	}
	if doc.File.Profiles[f.Name] == nil {
		profile := *f.Profile
		if err := doc.Put(f.Name, &profile); err != nil {
			return err
		}
	}
	if doc.File.Fallback == "" {
		doc.File.Fallback = f.Name
	}
	return nil
}
