//go:build !linux

package cli

func preferHugePages() {}
