// Command actor is the builder of the tests' derivations: a static program
// that does what its first argument says.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("what shall I do?")
	}
	args := os.Args[2:]
	switch os.Args[1] {
	case "write": // TEXT: the output is a file
		write(args[0])
	case "tree": // NAME TEXT ...: the output is a folder
		for ; len(args) >= 2; args = args[2:] {
			path := filepath.Join(os.Getenv("out"), args[0])
			check(os.MkdirAll(filepath.Dir(path), 0o755))
			check(os.WriteFile(path, []byte(args[1]), 0o755))
		}
	case "fail": // LINES CODE: says something, then fails
		lines, _ := strconv.Atoi(args[0])
		for i := range lines {
			fmt.Printf("line %d\n", i+1)
		}
		check(os.MkdirAll(os.Getenv("out"), 0o755))
		code, _ := strconv.Atoi(args[1])
		os.Exit(code)
	case "say": // LINE ...: says something, writes it
		for _, line := range args {
			fmt.Println(line)
		}
		write(fmt.Sprintln(args))
	case "slow": // MILLISECONDS TEXT: writes half, waits, writes the rest
		ms, _ := strconv.Atoi(args[0])
		write("half")
		fmt.Println("half way")
		time.Sleep(time.Duration(ms) * time.Millisecond)
		write(args[1])
	case "fill": // MEGABYTES: a large output
		mb, _ := strconv.Atoi(args[0])
		f, err := os.Create(os.Getenv("out"))
		check(err)
		for range mb {
			_, err := f.Write(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))
			check(err)
		}
		check(f.Close())
	case "random": // another output each time
		write(fmt.Sprint(time.Now().UnixNano(), os.Getpid()))
	case "nothing":
	case "env": // what the sandbox looks like
		host, _ := os.Hostname()
		wd, _ := os.Getwd()
		var names string
		for _, dir := range []string{"/", "/nix/store"} {
			entries, _ := os.ReadDir(dir)
			names += fmt.Sprintf("%s %d\n", dir, len(entries))
		}
		write(fmt.Sprintf("uid %d gid %d host %s dir %s\n%s", os.Getuid(), os.Getgid(), host, wd, names))
	default:
		fail("unknown: " + os.Args[1])
	}
}

func write(text string) { check(os.WriteFile(os.Getenv("out"), []byte(text), 0o644)) }

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(msg string) {
	fmt.Fprintln(os.Stderr, "actor:", msg)
	os.Exit(1)
}
