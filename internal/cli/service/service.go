// Package service holds `postier service`: the background service of one user, or of the machine with the socket on
// which it takes the messages of all users. The units are embedded; docs/systemd holds what they print.
package service

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// Options are the flags of the commands of `postier service`.
type Options struct {
	*command.Factory
	System, Print bool

	system system
}

// system is what the commands change; tests replace it.
type system struct {
	root    string // before each path of a file
	uid     int
	program string // the path of this program
	booted  bool   // by systemd
	run     func(ctx context.Context, argv ...string) (output string, err error)
}

func thisSystem() system {
	program, err := os.Executable()
	if err != nil {
		program = "/usr/bin/" + config.Program
	}
	_, err = os.Stat("/run/systemd/system") // sd_booted(3)
	return system{uid: os.Geteuid(), program: program, booted: err == nil, run: run}
}

func run(ctx context.Context, argv ...string) (string, error) {
	output, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput() //nolint:gosec // systemd's own programs
	return strings.TrimSpace(string(output)), err
}

// New is `postier service`.
func New(f *command.Factory) *cobra.Command {
	return f.Group("service", "cli.short.service",
		NewInstall(f, nil), newPart(f, "status", status), newPart(f, "remove", remove))
}

// NewInstall is `postier service install`.
func NewInstall(f *command.Factory, run command.Run[*Options]) *cobra.Command {
	o := &Options{Factory: f, system: thisSystem()}
	cmd := command.New(f, "install", "cli.short.service-install", o, run.Or(install))
	cmd.Flags().BoolVar(&o.System, "system", false, f.T("cli.flag.service-system"))
	cmd.Flags().BoolVar(&o.Print, "print", false, f.T("cli.flag.service-print"))
	return cmd
}

func newPart(f *command.Factory, name string, run command.Run[*Options]) *cobra.Command {
	o := &Options{Factory: f, system: thisSystem()}
	cmd := command.New(f, name, "cli.short.service-"+name, o, run)
	cmd.Flags().BoolVar(&o.System, "system", false, f.T("cli.flag.service-system"))
	return cmd
}

// units are the files of the service that the flags ask for.
func (o *Options) units() []unit {
	if o.System {
		return systemUnits(o.system.program)
	}
	base := o.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		base = filepath.Join(o.Getenv("HOME"), ".config")
	}
	units := userUnits(o.system.program, filepath.Join(base, "systemd", "user"))
	if folders := o.Folders(); len(folders) > 0 {
		path, _ := o.ConfigPath()
		units[0].text = serving(units[0].text, path, folders)
	}
	return units
}

// Install is `postier service install` for the home screen.
func Install(ctx context.Context, f *command.Factory) error {
	return install(ctx, &Options{Factory: f, system: thisSystem()})
}

func install(ctx context.Context, o *Options) error {
	units := o.units()
	hidden := o.hidden()
	if o.Print {
		if hidden != nil {
			o.Complain(hidden.Error())
		}
		return o.print(units)
	}
	if !o.system.booted {
		return o.instead()
	}
	if err := cmp.Or(o.needsRoot(), hidden); err != nil {
		return err
	}
	for _, u := range units {
		if err := o.write(u); err != nil {
			return err
		}
	}
	if o.System {
		if err := o.makeAccount(ctx, units); err != nil {
			return err
		}
	} else if err := o.makeFolders(); err != nil {
		return err
	}
	if err := o.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if err := o.systemctl(ctx, append([]string{"enable", "--now"}, names(units)...)...); err != nil {
		return err
	}
	return o.Result(changed{names(units)}, func() {
		o.Println(o.T("cli.service.installed", "units", strings.Join(names(units), ", ")))
		o.sayNext()
	})
}

// changed are the units that `service install --json` started, or `service remove --json` took away.
type changed struct {
	Units []string `json:"units"`
}

// file is a file of the service as `service install --print --json` shows it.
type file struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// print shows the files as they would be written.
func (o *Options) print(units []unit) error {
	files := []file{}
	for _, u := range units {
		files = append(files, file{u.path, u.text})
	}
	gap := false
	return command.List(&o.Printer, files, func(f file) {
		if gap {
			o.Println("")
		}
		gap = true
		o.Println("# " + f.Path)
		o.Println(strings.TrimSuffix(f.Text, "\n"))
	})
}

// instead says what to run where there is no systemd: on lines to copy, or in the message of the answer in JSON.
func (o *Options) instead() error {
	lines := o.withoutSystemd()
	if o.JSON {
		return command.Failure(exitcode.Unavailable, o.T("cli.service.no-systemd")+"\n"+strings.Join(lines, "\n"))
	}
	o.Complain(o.T("cli.service.no-systemd"))
	for _, line := range lines {
		o.Println(line)
	}
	return command.Quiet(exitcode.Unavailable)
}

func (o *Options) withoutSystemd() []string {
	if !o.System {
		return []string{o.system.program + " queue run --daemon"}
	}
	return []string{
		"useradd --system --home-dir /var/lib/postier --shell /usr/sbin/nologin postier",
		"install -d -o postier -g postier -m 700 /etc/postier /var/lib/postier",
		"chown -R postier:postier /etc/postier /var/lib/postier",
		"install -d -o postier -g postier -m 755 /run/postier",
		"setpriv --reuid=postier --regid=postier --init-groups " + o.system.program + " --config " + config.SystemPath +
			" queue run --daemon --socket /run/postier/submit",
	}
}

func (o *Options) needsRoot() error {
	if o.System && o.system.uid != 0 {
		return o.Fault(exitcode.NoPerm, "cli.service.root")
	}
	return nil
}

// hidden is the error of a program in a folder that the unit of the machine hides: the service could not start it.
func (o *Options) hidden() error {
	folders := []string{"/root", "/home", "/run/user", "/tmp", "/var/tmp"} // ProtectHome=, PrivateTmp=
	program := filepath.Clean(o.system.program)
	if !o.System || !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(program, f+"/") }) {
		return nil
	}
	return o.Fault(exitcode.Config, "cli.service.hidden", "program", safetext.FromRemote(program))
}

// write writes a file that everyone may read.
func (o *Options) write(u unit) error {
	const folder, file fs.FileMode = 0o755, 0o644
	path := filepath.Join(o.system.root, u.path)
	if err := os.MkdirAll(filepath.Dir(path), folder); err != nil {
		return err
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(u.text), file); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// has reports whether a file of the service is there.
func (o *Options) has(u unit) bool {
	_, err := os.Lstat(filepath.Join(o.system.root, u.path))
	return err == nil
}

// makeAccount makes the service's user and folders, and gives it the configuration that is there.
func (o *Options) makeAccount(ctx context.Context, units []unit) error {
	for _, u := range units {
		var argv []string
		switch {
		case strings.Contains(u.path, "sysusers.d"):
			argv = []string{"systemd-sysusers", u.path}
		case strings.Contains(u.path, "tmpfiles.d"):
			argv = []string{"systemd-tmpfiles", "--create", u.path}
		default:
			continue
		}
		if err := o.call(ctx, argv...); err != nil {
			return err
		}
	}
	return o.call(ctx, "chown", "-R", "--no-dereference", "postier:postier", filepath.Dir(config.SystemPath),
		"/var/lib/postier")
}

// makeFolders makes what the service of one user may write to: its unit can name only what is there.
func (o *Options) makeFolders() error {
	const private fs.FileMode = 0o700
	home := o.Getenv("HOME")
	return errors.Join(os.MkdirAll(filepath.Join(home, ".config", "postier"), private),
		os.MkdirAll(filepath.Join(home, ".local", "state", "postier"), private))
}

// sayNext says what the service still needs.
func (o *Options) sayNext() {
	if !o.System {
		o.Println(o.T("cli.service.linger"))
		o.Println("  loginctl enable-linger")
		return
	}
	if _, err := os.Stat(filepath.Join(o.system.root, config.SystemPath)); errors.Is(err, fs.ErrNotExist) {
		o.Println(o.T("cli.service.configure"))
		o.Println("  sudo -u postier " + o.system.program + " --config " + config.SystemPath + " setup")
		o.Println("  systemctl start postier.socket postier.service")
	}
}

func remove(ctx context.Context, o *Options) error {
	if err := o.needsRoot(); err != nil {
		return err
	}
	units := slices.DeleteFunc(o.units(), func(u unit) bool { return !o.has(u) })
	known := names(units)
	if o.system.booted && len(known) > 0 {
		if err := o.systemctl(ctx, append([]string{"disable", "--now"}, known...)...); err != nil {
			return err
		}
	}
	for _, u := range units {
		if err := os.Remove(filepath.Join(o.system.root, u.path)); err != nil {
			return err
		}
	}
	if o.system.booted && len(known) > 0 {
		if err := o.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
	}
	return o.Result(changed{append([]string{}, known...)}, func() { o.Println(o.T("cli.service.removed")) })
}

// state is one unit as `service status --json` prints it.
type state struct {
	Unit      string `json:"unit"`
	Installed bool   `json:"installed"`
	Enabled   string `json:"enabled"` // in systemd's words
	Active    string `json:"active"`  // in systemd's words
}

func status(ctx context.Context, o *Options) error {
	if !o.system.booted {
		return o.instead()
	}
	states, code := []state{}, exitcode.OK
	for _, u := range o.units() {
		if !u.isUnit() {
			continue
		}
		// Both end with an error for a unit that is off, and print which state it is in.
		enabled, _ := o.system.run(ctx, o.argv("is-enabled", u.name())...)
		active, _ := o.system.run(ctx, o.argv("is-active", u.name())...)
		if active != "active" {
			code = exitcode.Failed
		}
		states = append(states, state{u.name(), o.has(u), enabled, active})
	}
	if err := command.List(&o.Printer, states, func(s state) {
		o.Println(s.Unit + ": " + safetext.Escape(s.Active) + ", " + safetext.Escape(s.Enabled))
	}); err != nil {
		return err
	}
	return command.Quiet(code)
}

// names are those of the units, for systemctl.
func names(units []unit) []string {
	var list []string
	for _, u := range units {
		if u.isUnit() {
			list = append(list, u.name())
		}
	}
	return list
}

func (o *Options) argv(args ...string) []string {
	if o.System {
		return append([]string{"systemctl"}, args...)
	}
	return append([]string{"systemctl", "--user"}, args...)
}

func (o *Options) systemctl(ctx context.Context, args ...string) error {
	return o.call(ctx, o.argv(args...)...)
}

// call runs a program that has to succeed.
func (o *Options) call(ctx context.Context, argv ...string) error {
	output, err := o.system.run(ctx, argv...)
	if err == nil {
		return nil
	}
	return o.Fault(exitcode.IO, "cli.service.failed", "command", strings.Join(argv, " "), "error",
		safetext.FromRemote(strings.TrimSpace(output+" "+err.Error())))
}
