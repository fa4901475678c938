package main

import (
	"context"
)

// home is `postier` alone: the wizard while nothing is configured, the home screen afterwards.
func (a *app) home(ctx context.Context) error {
	if _, found := a.configPath(); !found {
		return a.runSetup(ctx, &setupOptions{product: "postier"}, "", nil, &secretFlags{})
	}
	return a.runSetup(ctx, &setupOptions{product: "postier"}, "", nil, &secretFlags{})
}
