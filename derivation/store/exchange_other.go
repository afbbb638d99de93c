//go:build !linux

package store

import "errors"

func exchangeNames(a, b string) error { return errors.ErrUnsupported }
