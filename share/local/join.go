package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"postier/internal/peercred"
	"postier/internal/wire"
	"postier/share"
)

// Join looks for the offer with this code and returns the stream to it. Where several sessions are shared at once, the
// code is shown to each of them until one takes it, the newest first. The error is ErrNone where there is none,
// share.ErrCode where none takes the code, share.ErrGuessing or share.ErrVersion.
func (m Machine) Join(ctx context.Context, code share.Code) (io.ReadWriteCloser, error) {
	failed := ErrNone
	for _, dir := range m.everyFolder() {
		uid, private := owner(dir)
		if !private || uid != os.Geteuid() && os.Geteuid() != 0 {
			continue
		}
		for _, path := range sockets(dir) {
			conn, err := try(ctx, path, uid, code)
			switch {
			case err == nil:
				return conn, nil
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case errors.Is(err, syscall.ECONNREFUSED):
				_ = os.Remove(path) // its program is gone
			case !errors.Is(failed, share.ErrCode):
				failed = err
			}
		}
	}
	return nil, failed
}

// try shows the code to one socket, if the program behind it belongs to the owner of the folder.
func try(ctx context.Context, path string, uid int, code share.Code) (_ net.Conn, err error) {
	conn, err := wire.Local(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	_ = conn.SetDeadline(time.Now().Add(handshake))
	user, err := peercred.Of(conn)
	if err != nil {
		return nil, err
	}
	if !trusted(int(user.UID), uid) {
		return nil, ErrNone
	}
	if err := json.NewEncoder(conn).Encode(knock{version, code}); err != nil {
		return nil, err
	}
	line, err := readLine(conn)
	if err != nil {
		return nil, err
	}
	var said answer
	if err := json.Unmarshal(line, &said); err != nil {
		return nil, share.ErrVersion
	}
	switch said.Refused {
	case "":
		return conn, conn.SetDeadline(time.Time{})
	case refusedCode:
		return nil, share.ErrCode
	case refusedGuesses:
		return nil, share.ErrGuessing
	}
	return nil, share.ErrVersion
}
