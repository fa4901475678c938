package safefile

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// NoFollow has no counterpart among the flags of opening a file here. openToRead opens the link itself, which is no
// regular file.
const NoFollow = 0

// sharing lets others read, rename and delete a file that is open, as everywhere else.
const sharing = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

func openToRead(path string) (*os.File, error) {
	return open(path, windows.GENERIC_READ, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_BACKUP_SEMANTICS)
}

// createPrivate makes a file that was not there. It never exists with the access list of its folder, which others might
// be on.
func createPrivate(path string) (*os.File, error) {
	attributes, err := private("")
	if err != nil {
		return nil, err
	}
	return open(path, windows.GENERIC_READ|windows.GENERIC_WRITE, attributes, windows.CREATE_NEW,
		windows.FILE_ATTRIBUTE_NORMAL)
}

func open(path string, rights uint32, attributes *windows.SecurityAttributes, how, flags uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	handle, err := windows.CreateFile(name, rights, sharing, attributes, how, flags, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// mkdirPrivate makes a folder whose access list the files in it inherit.
func mkdirPrivate(dir string) error {
	attributes, err := private("OICI")
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	if err := windows.CreateDirectory(name, attributes); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// private is the access list of what only this user, the system and the administrators may use. It inherits nothing.
func private(inheritance string) (*windows.SecurityAttributes, error) {
	self, err := currentSID()
	if err != nil {
		return nil, err
	}
	list := "D:P"
	for _, who := range []string{"SY", "BA", self.String()} {
		list += "(A;" + inheritance + ";FA;;;" + who + ")"
	}
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		return nil, err
	}
	return &windows.SecurityAttributes{
		Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: descriptor,
	}, nil
}

func currentSID() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return user.User.Sid, nil
}

// rename tries for a while: a virus scanner or a reader that has the file open for a moment makes the system refuse it.
func rename(from, to string) error {
	for deadline := time.Now().Add(lockWait); ; time.Sleep(lockRetry) {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || time.Now().After(deadline) {
			return err
		}
	}
}

// keepOwner has nothing to do: whoever may replace the file is on its access list and on that of the new one.
func keepOwner(*os.File, string) error { return nil }

// syncFolder has nothing to do: NTFS keeps a journal of names, and a folder cannot be flushed.
func syncFolder(string) error { return nil }

// What others must not have, on a file and on a folder. On a folder, adding files is no danger to those in it.
const (
	readRights = windows.FILE_READ_DATA | windows.FILE_EXECUTE | windows.FILE_READ_EA | windows.GENERIC_READ |
		windows.GENERIC_EXECUTE | windows.GENERIC_ALL
	replaceRights = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL | deleteChild
	writeRights   = replaceRights | windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.GENERIC_WRITE

	deleteChild = 0x40 // FILE_DELETE_CHILD
)

// everyone is the group that has every user (the well-known SID S-1-1-0), as icacls takes it.
const everyone = "*S-1-1-0"

// accessTo reads the owner and the access list, of the open file if there is one.
func (f Files) accessTo(info fs.FileInfo, file *os.File, path string) (access, error) {
	const asked = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	var descriptor *windows.SECURITY_DESCRIPTOR
	var err error
	if file != nil {
		descriptor, err = windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_FILE_OBJECT, asked)
	} else {
		descriptor, err = windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, asked)
	}
	if err != nil {
		return access{}, err
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return access{}, err
	}
	self, err := currentSID()
	if err != nil {
		return access{}, err
	}
	a := access{own: trusted(owner, self)}
	if !a.own {
		a.owner = userName(owner)
	}
	forbidden := uint32(writeRights)
	if info.IsDir() {
		forbidden = replaceRights
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // without a list, everyone may do everything
		a.read, a.write, a.others = true, true, []string{everyone}
		return a, nil
	}
	return a, a.judge(list, self, forbidden)
}

// judge notes what the entries of an access list allow to others. Entries that deny are passed over: they can only
// take away. An entry of another kind (for one object, or with a condition) counts as open to everyone: what it allows
// cannot be told.
func (a *access) judge(list *windows.ACL, self *windows.SID, forbidden uint32) error {
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			return err
		}
		if entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 ||
			entry.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE {
			continue
		}
		if entry.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
			a.read, a.write, a.others = true, true, append(a.others, everyone)
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
		if trusted(sid, self) {
			continue
		}
		read, write := uint32(entry.Mask)&readRights != 0, uint32(entry.Mask)&forbidden != 0
		if who := "*" + sid.String(); (read || write) && !slices.Contains(a.others, who) {
			a.others = append(a.others, who)
		}
		a.read, a.write = a.read || read, a.write || write
	}
	return nil
}

// installer is the service that owns the system's own folders.
const installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// trusted reports whether an account is this user's, the system's or the administrators': they could read every file
// anyway, as root could.
func trusted(sid, self *windows.SID) bool {
	return sid.Equals(self) || sid.IsWellKnown(windows.WinLocalSystemSid) ||
		sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinCreatorOwnerRightsSid) ||
		sid.String() == installer
}

// Own is for folders of other programs on Unix; nothing here asks.
func Own(fs.FileInfo) bool { return false }

// userName is the name of an account, or its SID if the system has no name.
func userName(sid *windows.SID) string {
	name, domain, _, err := sid.LookupAccount("")
	if err != nil {
		return sid.String()
	}
	return domain + `\` + name
}

// remedy is how an access that is too wide is narrowed.
type remedy struct {
	others []string // who has it, as icacls takes them
}

// fixFile leaves this user alone on the access list. SIDs are the same in every language of the system.
func (r remedy) fixFile(path string, _ ReadOptions) string {
	grant := ""
	if self, err := currentSID(); err == nil {
		grant = ` /grant:r "*` + self.String() + `:F"`
	}
	return "icacls " + quote(path) + " /inheritance:r" + grant + r.removal()
}

func (a access) fixFolder(dir string) string {
	return "icacls " + quote(dir) + " /inheritance:d" + a.removal()
}

func (r remedy) removal() string {
	if len(r.others) == 0 {
		return ""
	}
	return " /remove:g " + strings.Join(r.others, " ")
}

func fixOwner(path string) string { return "takeown /f " + quote(path) }

// quote writes a word for cmd.exe and PowerShell. A path contains no quotation mark.
func quote(word string) string { return `"` + word + `"` }

// classify knows the errors that are the system's own.
func classify(err error) Problem {
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL):
		return DiskFull
	case errors.Is(err, windows.ERROR_WRITE_PROTECT):
		return ReadOnly
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return Locked
	}
	return Failed
}
