package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/internal/strictjson"
)

const (
	// schemaName is the schema's file next to the configuration.
	schemaName = "config.schema.json"
	schemaRef  = "./" + schemaName
	// backups is how many older configurations are kept (docs/security.md T13).
	backups = 3
)

// Document is a configuration with its path and with the keys that this version does not know; Save keeps those.
type Document struct {
	File File
	// Path is absolute.
	Path string

	tree    *strictjson.Node // as read; nil for a new document
	read    []byte           // as read, to notice that another program has saved since; nil for a new document
	misfits Faults
	unknown Faults // also keys that are missing
	inline  bool   // as read, it held a secret
}

// SyntaxError says that a file is not the JSON of a configuration.
type SyntaxError = strictjson.SyntaxError

// VersionError says that a file was written by a newer program. It is never rewritten.
type VersionError struct {
	Path    string
	Version string // as written in the file
}

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("configuration %s has version %s, this program reads up to %d", e.Path, e.Version, Version)
}

// Text is the sentence.
func (e *VersionError) Text() Text {
	return locale.Msg("config.error.newer", "path", safetext.FromRemote(e.Path), "version", e.Version, "known", Version)
}

// ChangedError says that the file is no longer what was loaded. Nothing was written.
type ChangedError struct{ Path string }

// Error names the file.
func (e *ChangedError) Error() string {
	return "configuration " + e.Path + " was changed by somebody else"
}

// Text is the sentence.
func (e *ChangedError) Text() Text {
	return locale.Msg("config.error.changed", "path", safetext.FromRemote(e.Path))
}

// New returns an empty configuration for a file that does not exist yet.
func New(path string) *Document {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return &Document{Path: path, File: File{Schema: schemaRef, Version: Version, Profiles: map[string]*Profile{}}}
}

// Load reads a configuration. The errors are *safefile.Error (missing, too open, …), *SyntaxError, *VersionError and
// *InvalidError (a value of the wrong JSON type). Validate reports invalid values and unknown keys.
func Load(path string) (*Document, error) {
	doc, err := Check(path)
	if err != nil {
		return nil, err
	}
	// Versions start at 1: a program that wrote a lower one used another format.
	if len(doc.misfits) > 0 || doc.tree.Get("version") != nil && doc.File.Version < 1 {
		return nil, &InvalidError{Path: doc.Path, Faults: doc.Validate().Errors()}
	}
	return doc, nil
}

// LoadValid is Load for a program that sends. A configuration in which Validate finds a fault is an *InvalidError.
func LoadValid(path string) (*Document, error) {
	doc, err := Load(path)
	if err != nil {
		return nil, err
	}
	return doc, doc.Err()
}

// Err is an *InvalidError with what Validate finds, nil when that is nothing but warnings.
func (d *Document) Err() error {
	if faults := d.Validate().Errors(); len(faults) > 0 {
		return &InvalidError{Path: d.Path, Faults: faults}
	}
	return nil
}

// LoadOrNew is Load, or New when there is no such file.
func LoadOrNew(path string) (*Document, error) {
	doc, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return New(path), nil
	}
	return doc, err
}

// Check reads as much of a configuration as it can, so that Validate can report everything that is wrong. File lacks
// the values of the wrong type, and Save refuses such a document.
func Check(path string) (*Document, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &safefile.Error{Op: "open", Path: path, Problem: safefile.Failed, Err: err}
	}
	data, err := safefile.Read(abs)
	if err != nil {
		return nil, err
	}
	return Parse(abs, data)
}

// Parse is Check for content that is already in memory.
func Parse(path string, data []byte) (*Document, error) {
	tree, err := strictjson.Parse(data)
	if err != nil {
		var syntax *SyntaxError
		if errors.As(err, &syntax) {
			syntax.Path = path
		}
		return nil, err
	}
	doc := &Document{Path: path, tree: tree, read: data}
	if err := doc.checkVersion(); err != nil {
		return nil, err
	}
	known, misfits := strictjson.Fit(tree, reflect.TypeFor[File](), nil)
	doc.shape(misfits)
	if known == nil {
		known = &strictjson.Node{Kind: strictjson.Object}
	}
	if err := json.Unmarshal(known.Encode(), &doc.File); err != nil {
		panic("config: a tree of the right shape always decodes: " + err.Error())
	}
	if doc.File.Profiles == nil {
		doc.File.Profiles = map[string]*Profile{}
	}
	for _, p := range doc.File.Profiles {
		doc.inline = doc.inline || p.Credential.Value != ""
	}
	return doc, nil
}

// shape keeps what does not match the types of profile.go.
func (d *Document) shape(misfits []strictjson.Misfit) {
	for _, m := range misfits {
		key := []any{"key", safetext.FromRemote(m.Key)}
		switch {
		case m.Want != "":
			d.misfits = append(d.misfits, Fault{Path: m.Path, Text: locale.Msg("config.shape." + m.Want)})
		case m.Missing:
			d.unknown = append(d.unknown, Fault{Path: m.Path, Text: locale.Msg("config.missing_key", "key", m.Key)})
		case m.Like != "":
			text := locale.Msg("config.unknown_key_like", append(key, "suggestion", m.Like)...)
			d.unknown = append(d.unknown, Fault{Path: m.Path, Text: text})
		default:
			d.unknown = append(d.unknown, Fault{Path: m.Path, Text: locale.Msg("config.unknown_key", key...)})
		}
	}
}

// checkVersion runs first, because every other rule may differ in a newer file.
func (d *Document) checkVersion() error {
	version := d.tree.Get("version")
	if version == nil || version.Kind != strictjson.Number {
		return nil
	}
	number := version.Scalar.(json.Number)
	if value, err := strconv.ParseFloat(number.String(), 64); err != nil || value > Version {
		return &VersionError{Path: d.Path, Version: number.String()}
	}
	return nil
}

// Validate returns everything that is wrong with the document, unknown and missing keys included. One mistake is one
// fault: File lacks a value of the wrong type, and faults that only follow from that are not reported.
func (d *Document) Validate() Faults {
	shape := append(append(Faults{}, d.misfits...), d.unknown...)
	faults := append(Faults{}, d.misfits...)
	for _, fault := range Validate(&d.File) {
		if !d.misfits.explain(fault.Path) && !(isSelection(fault.Path) && lacksProfiles(shape)) {
			faults = append(faults, fault)
		}
	}
	return append(faults, d.unknown...)
}

// isSelection reports whether a path names a profile and so depends on the profiles being read.
func isSelection(path string) bool { return path == "default" || path == "fallback" }

// lacksProfiles reports whether a profile, or all of them, could not be read.
func lacksProfiles(shape Faults) bool {
	for _, fault := range shape {
		if strings.Count(fault.Path, ".") <= 1 && strings.HasPrefix(fault.Path, "profiles") {
			return true
		}
	}
	return false
}

// explain reports whether a fault at path is at, below or above a place that could not be read.
func (f Faults) explain(path string) bool {
	here := Faults{{Path: path}}
	for _, fault := range f {
		if fault.Path == "" || len(here.Under(fault.Path)) > 0 || len(Faults{fault}.Under(path)) > 0 {
			return true
		}
	}
	return false
}

// Encode returns the bytes that Save writes.
func (d *Document) Encode() []byte {
	data, err := json.Marshal(d.File)
	if err != nil {
		panic("config: settings are plain values and always marshal: " + err.Error())
	}
	fresh, err := strictjson.Parse(data)
	if err != nil {
		panic("config: own JSON is always readable: " + err.Error())
	}
	if d.tree == nil {
		return fresh.Encode()
	}
	return merge(d.tree, fresh, reflect.TypeFor[File]()).Encode()
}

// Save validates and writes the file with mode 0600, and the schema next to it. Unknown keys and the order of the old
// file are kept. The errors are *InvalidError (nothing was written), *ChangedError, *VersionError and *safefile.Error.
func (d *Document) Save() error {
	if d.File.Version == 0 {
		d.File.Version = Version
	}
	if d.File.Schema == "" {
		d.File.Schema = schemaRef
	}
	faults := append(append(Faults{}, d.misfits...), Validate(&d.File)...).Errors()
	faults = append(faults, writtenInline(&d.File)...)
	if len(faults) > 0 {
		return &InvalidError{Path: d.Path, Faults: faults}
	}
	data := d.Encode()
	if int64(len(data)) > safefile.MaxSize {
		return &safefile.Error{Op: "write", Path: d.Path, Problem: safefile.TooLarge, Limit: safefile.MaxSize}
	}
	err := safefile.Write(d.Path, data, safefile.Options{
		Backups:       backups,
		ForgetBackups: d.inline, // older versions hold the secret that was moved elsewhere
		Check: func(present []byte) error {
			if (present == nil) != (d.read == nil) || !bytes.Equal(present, d.read) {
				return &ChangedError{Path: d.Path}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	saved, err := Parse(d.Path, data)
	if err != nil {
		return err
	}
	d.tree, d.read, d.unknown, d.inline = saved.tree, saved.read, saved.unknown, false
	// The schema only helps editors, so a failure to write it does not fail the save.
	_ = safefile.Write(filepath.Join(filepath.Dir(d.Path), schemaName), Schema(), safefile.Options{})
	return nil
}

// writtenInline refuses to write a secret: the kind inline is read for compatibility only.
func writtenInline(f *File) Faults {
	var faults Faults
	for _, name := range f.Names() {
		if p := f.Profiles[name]; p != nil && p.Credential.Kind == CredentialInline {
			faults = append(faults, Fault{
				Path: strictjson.Join("profiles."+name, "credential"),
				Text: locale.Msg("config.credential.inline"),
			})
		}
	}
	return faults
}
