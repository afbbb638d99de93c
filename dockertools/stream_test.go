package dockertools

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonix/dockertools/archive"
)

// streamer compiles the program that recipes are put behind.
func streamer(t testing.TB, s *testStore) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("there is no C compiler")
	}
	program := filepath.Join(t.TempDir(), "stream-image")
	text, err := exec.Command(cc, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, "../nixpkgs-lite/build-support/docker/stream.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	p := made("streamer")
	if err := os.MkdirAll(s.RealPath(p)+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.RealPath(p)+"/bin/stream-image", data, 0o755); err != nil {
		t.Fatal(err)
	}
	return s.register(p).String() + "/bin/stream-image"
}

// TestStream expects of the program what is built without it, and other names.
func TestStream(t *testing.T) {
	s := redis(t)
	program := streamer(t, s)
	s.add("sizes", files{"none": "", "one": "1", "block": strings.Repeat("b", 512), "big": strings.Repeat("x\x00", 900_000), "zeros": strings.Repeat("\x00", 5000)})
	base := debian(s)
	for _, a := range []attrs{
		{"contents": []string{made("server").String(), made("sizes").String()}, "includeNixDB": true},
		{"contents": []string{made("sizes").String()}, "fromImage": base.String()},
	} {
		a = layered(a)
		a["compressor"] = "none"
		want := s.build(&Builder{}, a, made("server"), made("sizes"), base)
		a["streamer"] = program
		job := s.job(a, made("server"), made("sizes"), made("streamer"), base)
		if err := (&Builder{}).Build(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		made := filepath.Join(s.Dir(), "stream-test")
		if err := os.RemoveAll(made); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(job.Dest["out"])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(made, data, 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command(made).Output()
		if err != nil {
			t.Fatal(err)
		}
		expected, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, expected) {
			t.Errorf("%d bytes differ from the %d of the archive", len(got), len(expected))
		}
		for given, name := range map[string]string{"quay.io/a/b:2": "quay.io/a/b:2", "app/with/a/name/that/is/much/longer/than/the/other": "app/with/a/name/that/is/much/longer/than/the/other:latest"} {
			got, err := exec.Command(made, "--repo_tag", given).Output()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "named.tar")
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			validate(t, file)
			opened, err := archive.Open(t.Context(), file, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			images, err := opened.Images()
			if err != nil || len(images) != 1 || len(images[0].References) != 1 || images[0].References[0].String() != name {
				t.Errorf("%s: %v, %v", given, images, err)
			}
		}
		for _, args := range [][]string{{"--repo_tag", "a b"}, {"--repo_tag"}, {"--other"}} {
			if text, err := exec.Command(made, args...).CombinedOutput(); err == nil || !strings.HasPrefix(string(text), "error: ") {
				t.Errorf("%v: %v, %s", args, err, text)
			}
		}
	}
	if got := s.fail(&Builder{}, layered(attrs{"streamer": program})); !strings.Contains(got, "'compressor' must be none") {
		t.Errorf("error %s", got)
	}
}
