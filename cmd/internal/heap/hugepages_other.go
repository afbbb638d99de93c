//go:build !linux

package heap

func preferHugePages() {}
