package explain

import (
	"cmp"
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strconv"
	"sync"

	"postier/internal/check"
)

//go:embed data
var files embed.FS

// catalogue holds the causes with their indexes.
type catalogue struct {
	list     []CauseInfo
	bySlug   map[check.Cause]int
	byNumber map[string]int
}

var causes = sync.OnceValue(func() catalogue {
	c := catalogue{list: readFolder[CauseInfo]("data/causes"), bySlug: map[check.Cause]int{}, byNumber: map[string]int{}}
	slices.SortFunc(c.list, func(a, b CauseInfo) int { return cmp.Compare(codeNumber(a.Code), codeNumber(b.Code)) })
	for i, cause := range c.list {
		c.bySlug[cause.Slug] = i
		_, number := splitCode(cause.Code)
		c.byNumber[number] = i
	}
	return c
})

func codeNumber(code string) int {
	_, number := splitCode(code)
	n, _ := strconv.Atoi(number)
	return n
}

// readFolder reads every file of an embedded folder, each a JSON array of T, in the order of their names. The data is
// part of the program and covered by tests, so a fault in it is a panic and not an error.
func readFolder[T any](folder string) []T {
	var all []T
	err := fs.WalkDir(files, folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all = append(all, readFile[[]T](path)...)
		return nil
	})
	if err != nil {
		panic("explain: " + err.Error())
	}
	return all
}

func readFile[T any](path string) T {
	var value T
	data, err := files.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	if err != nil {
		panic("explain: " + path + ": " + err.Error())
	}
	return value
}
