package served

import (
	"errors"
	"os"
)

// Possible is false: a console belongs to the whole process here, and sessions share one process.
const Possible = false

func polled(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

func cooked(int) bool { return false }
