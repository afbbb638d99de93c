package lint

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"

	"github.com/google/go-cmp/cmp"
)

// elfOf makes an ELF file of 64 bits with what the loader looks at: fields are
// interp, soname, needed, runpath and rpath, as key=value.
func elfOf(t *testing.T, machine elf.Machine, fields ...string) string {
	t.Helper()
	tags := map[string]elf.DynTag{"soname": elf.DT_SONAME, "needed": elf.DT_NEEDED, "runpath": elf.DT_RUNPATH, "rpath": elf.DT_RPATH}
	texts, interp := "\x00", ""
	var dynamic []elf.Dyn64
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		if key == "interp" {
			interp = value + "\x00"
			continue
		}
		dynamic = append(dynamic, elf.Dyn64{Tag: int64(tags[key]), Val: uint64(len(texts))})
		texts += value + "\x00"
	}
	dynamic = append(dynamic, elf.Dyn64{})
	const head, prog, sect = 64, 56, 64
	atInterp := uint64(head + prog)
	atTexts := atInterp + uint64(len(interp))
	atDyn := atTexts + uint64(len(texts))
	atSect := atDyn + uint64(16*len(dynamic))
	h := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}, Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1,
		Phoff: head, Shoff: atSect, Ehsize: head, Phentsize: prog, Phnum: 1, Shentsize: sect, Shnum: 3, Shstrndx: 1,
	}
	p := elf.Prog64{Type: uint32(elf.PT_NULL), Off: atInterp, Filesz: uint64(len(interp)), Memsz: uint64(len(interp))}
	if interp != "" {
		p.Type = uint32(elf.PT_INTERP)
	}
	sections := []elf.Section64{
		{},
		{Type: uint32(elf.SHT_STRTAB), Off: atTexts, Size: uint64(len(texts))},
		{Type: uint32(elf.SHT_DYNAMIC), Off: atDyn, Size: uint64(16 * len(dynamic)), Link: 1, Entsize: 16},
	}
	var b bytes.Buffer
	for _, part := range []any{h, p, []byte(interp), []byte(texts), dynamic, sections} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

type member struct {
	name, content string
	mode          int64
	link          string
}

// lintOf examines an image of amd64 with one layer.
func lintOf(t *testing.T, config string, members ...member) []string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range append(members, member{"tmp/", "", 0o1777, ""}) {
		h := tar.Header{Name: m.name, Mode: m.mode, Size: int64(len(m.content))}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.content)
	}
	w.Close()
	data := buf.Bytes()
	layer := image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
	cfg := image.Config{Architecture: "amd64", OS: "linux"}
	if err := json.Unmarshal([]byte(config), &cfg.Settings); err != nil {
		t.Fatal(err)
	}
	img, err := image.New(cfg, []image.Layer{layer})
	if err != nil {
		t.Fatal(err)
	}
	facts := NewFacts()
	l, err := listing.Read(t.Context(), img, facts)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range Check(cfg, l, facts) {
		kind := "warning"
		if f.Error {
			kind = "error"
		}
		if f.Advice == "" {
			t.Errorf("no advice: %+v", f)
		}
		out = append(out, fmt.Sprintf("%s %s: %s", kind, f.Check, f.Message))
	}
	return out
}

func TestContents(t *testing.T) {
	const x86, arm = elf.EM_X86_64, elf.EM_AARCH64
	exe := func(name string, m elf.Machine, fields ...string) member {
		return member{name, elfOf(t, m, fields...), 0o755, ""}
	}
	loader, libc := exe("lib/ld.so", x86, "soname=ld.so", "interp=/absent"), exe("lib/libc.so", x86, "soname=libc.so")
	script := func(name, text string) member { return member{name, text, 0o755, ""} }
	sh := exe("bin/sh", x86)
	passwd := member{"etc/passwd", "root:x:0:0::/root:/bin/sh\nredis:x:9:9::/:\n", 0o644, ""}
	for _, c := range []struct {
		name, config string
		members      []member
		want         []string
	}{
		{"sound", `{"Cmd":["/bin/a"],"User":"redis:9"}`, []member{exe("bin/a", x86, "interp=/lib/ld.so", "needed=libc.so", "needed=libx.so", "runpath=$ORIGIN/../opt"), exe("opt/libx.so", x86, "soname=libx.so", "needed=libc.so"), loader, libc, passwd}, nil},
		{"rpath is inherited", `{"Cmd":["/bin/a"]}`, []member{exe("bin/a", x86, "interp=/lib/ld.so", "needed=libx.so", "rpath=/opt"), exe("opt/libx.so", x86, "needed=liby.so"), exe("opt/liby.so", x86), loader}, nil},
		{"runpath is not", `{"Cmd":["/bin/a"]}`, []member{exe("bin/a", x86, "interp=/lib/ld.so", "needed=libx.so", "runpath=/opt"), exe("opt/libx.so", x86, "needed=liby.so"), exe("opt/liby.so", x86), loader},
			[]string{"error library: Cmd /bin/a: the library liby.so is not where a program looks for it"}},
		{"LD_LIBRARY_PATH", `{"Cmd":["/bin/a"],"Env":["LD_LIBRARY_PATH=/x:/opt"]}`, []member{exe("bin/a", x86, "interp=/lib/ld.so", "needed=liby.so"), exe("opt/liby.so", x86), loader}, nil},
		{"library of another architecture", `{"Cmd":["/bin/a"]}`, []member{exe("bin/a", x86, "interp=/lib/ld.so", "needed=liby.so"), exe("lib/liby.so", arm), loader},
			[]string{"error library: Cmd /bin/a: the library liby.so is not where a program looks for it", "warning architecture: the image is for amd64, but this is a program for aarch64: /lib/liby.so"}},
		{"other program", `{"Cmd":["/bin/sh"]}`, []member{sh, exe("bin/b", x86, "interp=/lib/ld.so", "needed=libz.so"), exe("bin/c", x86, "interp=/lib64/ld.so"), exe("opt/d", x86, "interp=/lib64/ld.so", "soname="), loader},
			[]string{"warning library: the library libz.so is not where a program looks for it: /bin/b", "warning loader: the loader /lib64/ld.so of a program is not in the image: /bin/c and 1 more"}},
		{"architecture", `{"Entrypoint":["/bin/a"]}`, []member{exe("bin/a", arm)},
			[]string{"error architecture: Entrypoint /bin/a: the image is for amd64, but this is a program for aarch64"}},
		{"loader", `{"Entrypoint":["/bin/a"]}`, []member{exe("bin/a", x86, "interp=/lib64/ld.so")},
			[]string{"error loader: Entrypoint /bin/a: the loader /lib64/ld.so of a program is not in the image"}},
		{"script without interpreter", `{"Entrypoint":["/run"]}`, []member{script("run", "#!/bin/bash -e\n"), script("bin/x", "#!/usr/bin/perl\n"), script("bin/y", "#! /usr/bin/perl -w\n#"), script("share/z", "#!/usr/bin/perl\n"), member{"bin/text", "#!/usr/bin/perl\n", 0o644, ""}},
			[]string{"error interpreter: Entrypoint /run: the interpreter /bin/bash of a script is not in the image", "warning interpreter: the interpreter /usr/bin/perl of a script is not in the image: /bin/x and 1 more"}},
		{"env", `{"Entrypoint":["/run"]}`, []member{exe("usr/bin/env", x86), script("run", "#!/usr/bin/env bash\n")},
			[]string{"error interpreter: Entrypoint /run: the interpreter bash of a script is in no directory of PATH (" + defaultPath + ")"}},
		{"env with an argument", `{"Entrypoint":["/run"]}`, []member{exe("usr/bin/env", x86), sh, script("run", "#!/usr/bin/env sh -e\n"), script("bin/x", "#!/usr/bin/env -S X=1 sh -e\n"), script("bin/y", "#!/usr/bin/env -S perl -w\n"), script("bin/z", "#!/usr/bin/env -i perl\n")},
			[]string{"error interpreter: Entrypoint /run: env looks for a program called 'sh -e': what comes after it in the first line of a script is one word", "warning interpreter: the interpreter perl of a script is in no directory of PATH (" + defaultPath + "): /bin/y"}},
		{"lines of Windows", `{"Cmd":["/run"]}`, []member{sh, script("run", "#!/bin/sh\r\nexit\r\n")},
			[]string{"error interpreter: Cmd /run: the first line of a script ends as lines of Windows do (CR LF), and the CR becomes a part of the interpreter's name or argument"}},
		{"neither program nor script", `{"Cmd":["/run"]}`, []member{script("run", "echo\n")}, []string{"error command: Cmd /run: it begins neither as a program (ELF) nor as a script (#!), so that it cannot be run"}},
		{"empty", `{"Cmd":["/run"]}`, []member{script("run", "")}, []string{"error command: Cmd /run: it begins neither as a program (ELF) nor as a script (#!), so that it cannot be run"}},
		{"broken program", `{"Cmd":["/run"]}`, []member{script("run", "\x7fELF")}, nil},
		{"one word", `{"Cmd":"sh"}`, []member{sh}, nil},
		{"last PATH, from WorkingDir", `{"Cmd":["sh"],"WorkingDir":"/bin","Env":["PATH=/x","PATH=."]}`, []member{sh}, nil},
		{"WorkingDir", `{"Cmd":["sh"],"WorkingDir":"/bin/sh"}`, []member{sh}, []string{"error directory: WorkingDir /bin/sh is a regular file, not a directory"}},
		{"starter", `{"Entrypoint":["/bin/tini","-g","--"],"Cmd":["redis"]}`, []member{exe("bin/tini", x86)}, []string{"error command: Entrypoint redis is in no directory of PATH (" + defaultPath + ")"}},
		{"starter without a word", `{"Entrypoint":["/bin/tini","--"]}`, []member{exe("bin/tini", x86)}, nil},
		{"healthcheck", `{"Cmd":["sh"],"Healthcheck":{"Test":["CMD","curl","-f","x"]}}`, []member{sh}, []string{"warning command: Healthcheck curl is in no directory of PATH (" + defaultPath + ")"}},
		{"healthcheck by a shell", `{"Cmd":["sh"],"Healthcheck":{"Test":["CMD-SHELL","maybe || true; curl x || exit 1"]}}`, []member{sh}, []string{"warning script: the script Healthcheck calls curl, which is in no directory of PATH (" + defaultPath + ")"}},
		{"healthcheck by no shell", `{"Cmd":["/a"],"Healthcheck":{"Test":["CMD-SHELL","exit"]}}`, []member{exe("a", x86)}, []string{"warning command: Healthcheck /bin/sh is not in the image"}},
		{"no healthcheck", `{"Cmd":["sh"],"Healthcheck":{"Test":["NONE"]}}`, []member{sh}, nil},
		{"user may not execute", `{"Cmd":["/bin/a"],"User":"redis"}`, []member{{"bin/a", elfOf(t, x86), 0o744, ""}, passwd}, []string{"error permission: Cmd /bin/a: user 9:9 may not execute the regular file /bin/a (mode 0744, owner 0:0)"}},
		{"user may not enter", `{"Cmd":["/p/a"],"User":"5:6"}`, []member{{"p/", "", 0o700, ""}, exe("p/a", x86)}, []string{"error permission: Cmd /p/a: user 5:6 may not execute the directory /p (mode 0700, owner 0:0)"}},
		{"user of the group of root", `{"Cmd":["/bin/a"],"User":"5"}`, []member{{"bin/a", elfOf(t, x86), 0o750, ""}}, nil},
		{"user of unknown groups", `{"Cmd":["/bin/a"],"User":"5:6"}`, []member{{"bin/a", elfOf(t, x86), 0o750, ""}}, nil},
		{"calls", `{"Entrypoint":["/run"],"Env":["PATH=/bin"]}`, []member{sh, exe("bin/id", x86), script("run", "#!/bin/sh\nset -e\nf() { id; }\nf\nif [ \"$(id -u)\" = 0 ]; then chown -R x /data; fi\n\"$x\" y\ncat <<E\nrm x\nE\nmaybe || true\ncommand -v tini && tini\nexec gosu redis \"$@\"\n/opt/x\n")},
			[]string{"warning script: the script /run calls chown, which is in no directory of PATH (/bin)", "warning script: the script /run calls cat, which is in no directory of PATH (/bin)",
				"warning script: the script /run calls gosu, which is in no directory of PATH (/bin)", "warning script: the script /run calls /opt/x, which is not in the image"}},
		{"calls after PATH is set", `{"Entrypoint":["/run"]}`, []member{sh, script("run", "#!/bin/sh\nexport PATH=/x:$PATH\nchown a b\n")}, nil},
		{"calls after another file", `{"Entrypoint":["/run"]}`, []member{sh, script("run", "#!/bin/sh\n. /etc/functions\nchown a b\n")}, nil},
		{"calls what it looked for", `{"Entrypoint":["/run"]}`, []member{sh, script("run", "#!/bin/sh\nif [ -x /opt/x ]; then /opt/x; fi\nif [[ -x /opt/y ]]; then /opt/y; fi\nhash z && z\n")}, nil},
		{"calls in no shell", `{"Entrypoint":["/run"]}`, []member{exe("bin/perl", x86), script("run", "#!/bin/perl\nchown a b\n")}, nil},
		{"calls in busybox", `{"Entrypoint":["/run"]}`, []member{exe("bin/busybox", x86), {"bin/sh", "", 0o777, "busybox"}, script("run", "#!/bin/sh\nchown a b\n")}, nil},
		{"calls of an argument", `{"Cmd":["sh","-c","wget x | tee y"]}`, []member{sh, exe("bin/tee", x86)}, []string{"warning script: the script Cmd calls wget, which is in no directory of PATH (" + defaultPath + ")"}},
		{"calls of the argument Cmd", `{"Entrypoint":["sh","-ec"],"Cmd":["wget x"]}`, []member{sh}, []string{"warning script: the script Entrypoint calls wget, which is in no directory of PATH (" + defaultPath + ")"}},
		{"hands over", `{"Entrypoint":["/run"],"Cmd":["redis","x"]}`, []member{sh, script("run", "#!/bin/sh\nset -e -o pipefail\nexec \"$@\"\n")},
			[]string{"warning script: the script /run calls redis, which is in no directory of PATH (" + defaultPath + ")"}},
		{"hands over something else", `{"Entrypoint":["/run"],"Cmd":["redis"]}`, []member{sh, script("run", "#!/bin/sh\nif [ \"${1#-}\" != x ]; then set -- sh \"$@\"; fi\nexec \"$@\"\n")}, nil},
		{"hands over an option", `{"Entrypoint":["/run"],"Cmd":["-x"]}`, []member{sh, script("run", "#!/bin/sh\nexec \"$@\"\n")}, nil},
		{"store is mounted", `{"Cmd":["a"]}`, []member{{"bin/a", "", 0o777, "/nix/store/x/bin/a"}}, []string{"warning store: Cmd a is in the store, which the image does not have"}},
		{"store without it", `{"Cmd":["/bin/a"]}`, []member{{"bin/a", "", 0o777, "/nix/store/x/bin/a"}, {"nix/store/y", "", 0o444, ""}}, []string{"error command: Cmd /bin/a is not in the image"}},
		{"user", `{"Cmd":["sh"],"User":"www:redis"}`, []member{sh, passwd, {"etc/group", "wheel:x:1:", 0o644, ""}},
			[]string{"error user: User names the user 'www', which /etc/passwd does not have", "error user: User names the group 'redis', which /etc/group does not have"}},
		{"certificates", `{"Cmd":["sh"]}`, []member{sh, exe("lib/libssl.so.3", x86)}, []string{"warning certificates: there are no CA certificates, so that /lib/libssl.so.3 will trust no server"}},
		{"certificates in a variable", `{"Cmd":["sh"],"Env":["SSL_CERT_FILE=/certs"]}`, []member{sh, exe("lib/libssl.so.3", x86), {"certs", "x", 0o644, ""}}, nil},
		{"modes", `{"Cmd":["sh"],"Volumes":{"/data/":{}}}`, []member{sh, {"bin/su", "x", 0o4755, ""}, {"bin/wall", "x", 0o2755, ""}, {"etc/x", "x", 0o666, ""}, {"data/", "", 0o777, ""}, {"spool/", "", 0o777, ""}},
			[]string{"warning writable: every user may write there: /etc/x and 1 more", "warning setuid: runs with the rights of its owner or group (setuid, setgid): /bin/su and 1 more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, lintOf(t, c.config, c.members...)); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzProgram gives broken files to what reads ELF, scripts and tables.
func FuzzProgram(f *testing.F) {
	f.Add("\x7fELF\x02\x01\x01")
	f.Add("#!/bin/sh\nif x; then")
	f.Fuzz(func(t *testing.T, data string) {
		facts := NewFacts()
		facts.Begin("etc/passwd", int64(len(data)))
		for i := range len(data) {
			facts.Write([]byte(data[i : i+1]))
		}
		facts.End("x")
		readProgram([]byte(data))
		calls(data)
		interpreter(data)
	})
}
