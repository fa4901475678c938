package share

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/time/rate"
)

// fromPersonFrame is a line of the person's side.
type fromPersonFrame struct {
	Version int   `json:"version"`
	View    *View `json:"view,omitempty"`
	End     bool  `json:"end,omitempty"`  // the person, or the program, ends the view
	Lost    bool  `json:"lost,omitempty"` // it ends because the person's line has dropped
}

// fromHelperFrame is a line of the helper's side: that it is there, where it points, or what it says. There is nothing
// else, so that no helper can ask for anything else.
type fromHelperFrame struct {
	Version int     `json:"version"`
	Point   *Target `json:"point,omitempty"`
	Remark  string  `json:"remark,omitempty"`
}

// lines reads a stream line by line, each at most so long, and no faster than the other side may speak.
type lines struct {
	scanner *bufio.Scanner
	pace    *rate.Limiter
}

func newLines(r io.Reader, longest int) *lines {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 1<<10), longest)
	s.Split(wholeLines)
	return &lines{s, rate.NewLimiter(perSecond, burst)}
}

// wholeLines splits at LF and drops what comes after the last one: half a line says nothing.
func wholeLines(data []byte, _ bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	return 0, nil, nil
}

// next reads one frame. io.EOF says that the other side has ended.
func (l *lines) next(ctx context.Context, frame any) error {
	if err := l.pace.Wait(ctx); err != nil {
		return err
	}
	if !l.scanner.Scan() {
		switch err := l.scanner.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			return ErrDialog
		case err != nil:
			return err
		}
		return io.EOF
	}
	decoder := json.NewDecoder(bytes.NewReader(l.scanner.Bytes()))
	if _, strict := frame.(*fromHelperFrame); strict {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(frame); err != nil {
		return errors.Join(ErrDialog, err)
	}
	return nil
}

// line is a frame as it is sent.
func line(frame any) ([]byte, error) {
	data, err := json.Marshal(frame)
	return append(data, '\n'), err
}
