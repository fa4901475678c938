package command

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
)

// OpenState opens the state of sending that belongs to a configuration.
func (f *Factory) OpenState(ctx context.Context, doc *config.Document) (*delivery.Store, error) {
	database, err := f.stateDatabase(doc)
	if err != nil {
		return nil, err
	}
	return delivery.OpenStore(ctx, database)
}

// Folders are those of the configuration and of its state, as far as it is files, where the user chose another
// configuration than the one that is found by itself; none otherwise.
func (f *Factory) Folders() []string {
	if f.ConfigFlag == "" && f.Getenv("POSTIER_CONFIG") == "" {
		return nil
	}
	path, _ := f.ConfigPath()
	folders := []string{filepath.Dir(path)}
	if doc, err := config.LoadOrNew(path); err == nil {
		if database, err := f.stateDatabase(doc); err == nil && database.File != "" {
			folders = append(folders, filepath.Dir(database.File))
		}
	}
	return slices.Compact(folders)
}

func (f *Factory) stateDatabase(doc *config.Document) (config.Database, error) {
	if doc.File.Queue.Database == "" {
		return config.Database{File: delivery.StatePath(doc.Path, f.Getenv)}, nil
	}
	database, fault := config.ParseDatabase(doc.File.Queue.Database)
	if !fault.Empty() {
		return database, &config.InvalidError{
			Path: doc.Path, Faults: config.Faults{{Path: "queue.database", Text: fault}},
		}
	}
	return database.Under(filepath.Dir(doc.Path)), nil
}

// peekWait is how long a list waits for a database on another machine.
const peekWait = 3 * time.Second

// Standings are how the profiles stand. They are empty before anything was sent, and reading them creates nothing.
func (f *Factory) Standings(ctx context.Context, doc *config.Document) (standings delivery.Standings, err error) {
	err = f.Peek(ctx, doc, func(ctx context.Context, store *delivery.Store) error {
		standings, err = store.Standings(ctx)
		return err
	})
	return standings, err
}

// Peek reads the state, if there is one already: it creates nothing.
func (f *Factory) Peek(ctx context.Context, doc *config.Document,
	read func(context.Context, *delivery.Store) error,
) error {
	database, err := f.stateDatabase(doc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, peekWait)
	defer cancel()
	store, err := delivery.Peek(ctx, database)
	if err != nil || store == nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return read(ctx, store)
}

// Cause is the title of a cause with its code, which can be read out over the phone.
func (p *Printer) Cause(cause check.Cause) string {
	if info, ok := explain.Cause(cause); ok {
		return fmt.Sprintf("%s (%s)", info.Title(p.Lang()), info.Code)
	}
	return safetext.Escape(string(cause))
}
