//go:build !linux

package build

import "errors"

func exchangeNames(a, b string) error { return errors.ErrUnsupported }
