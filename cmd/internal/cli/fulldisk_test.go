package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/store"
)

// onFullDisk is a script that fills a small disk up to some bytes, runs act
// there, which must say that the disk is full, makes room, looks whether what is
// registered is whole, and runs act again, which must succeed then, and see.
const onFullDisk = `
mkdir disk
mount -t tmpfs -o size=20m none disk
before >out 2>&1 || { cat out; exit 1; }
for free in $frees; do
  cat /dev/zero > disk/filler 2>/dev/null || true
  truncate -s -$free disk/filler
  status=0; (act) > out 2>&1 || status=$?
  [ $status != 0 ] || { echo "with $free bytes free it succeeded"; cat out; exit 1; }
  grep -qi '^error: .*no space left on device' out || { echo "with $free bytes free:"; cat out; exit 1; }
  [ $(grep -c '^error: ' out) -lt 4 ] || { echo "with $free bytes free, many errors:"; cat out; exit 1; }
  [ $(grep '^error: ' out | wc -c) -lt 2000 ] || { echo "with $free bytes free, long errors:"; cat out; exit 1; }
  rm disk/filler
  (look) > out 2>&1 || { echo "after $free bytes were free:"; cat out; exit 1; }
  (act) > out 2>&1 || { echo "again, after $free bytes were free:"; cat out; exit 1; }
  (look) > out 2>&1 || { echo "in the end, after $free bytes were free:"; cat out; exit 1; }
  (see) > out 2>&1 || { echo "the result, after $free bytes were free:"; cat out; exit 1; }
  (clear) > out 2>&1 || { cat out; exit 1; }
done`

// TestFullDisks fills the disk under a substitution, an import and a copy to a
// cache: each says so, leaves nothing wrong behind, and succeeds once there is room.
func TestFullDisks(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("unshare(1) is needed to mount a small file system: ", err)
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "gonix"))
	}
	if err != nil {
		t.Fatal(err)
	}
	from, err := store.Open(filepath.Join(dir, "from"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	top := chain(t, from, 40) // 8 MB
	from.Close()

	const (
		store   = `./gonix store --store disk/st `
		sound   = `[ ! -e disk/st/nix/var/nix/db/schema ] || { ` + store + `--verify --check-contents && witness disk/st; }`
		whole   = `[ $(` + store + `-qR $top | wc -l) = 40 ]`
		collect = store + `--gc`
	)
	for name, c := range map[string]struct{ before, act, look, see, clear string }{
		"substitution": {
			`./gonix copy --store from --to "file://$PWD/cache?compression=zstd" $top`,
			store + `--option substituters file://$PWD/cache --option require-sigs false -r $top`,
			sound, whole, collect,
		},
		"import": {
			`./gonix store --store from --export $(./gonix store --store from -qR $top) > stream`,
			store + `--import < stream`,
			sound, whole, collect,
		},
		"copy to a store": {"true", `./gonix copy --store from --to disk/st --no-check-sigs $top`, sound, whole, collect},
		// What is announced there is there.
		"copy to a cache": {
			"true", `./gonix copy --store from --to "file://$PWD/disk/cache?compression=none" $top`,
			`for i in disk/cache/*.narinfo; do
				[ -e "$i" ] || continue
				[ $(stat -c %s disk/cache/$(sed -n 's/^URL: //p' $i)) = $(sed -n 's/^FileSize: //p' $i) ] || { echo "$i is wrong"; exit 1; }
			done; [ -z "$(find disk/cache -name '*tmp*' 2>/dev/null)" ]`,
			`./gonix copy --store copied --from file://$PWD/disk/cache --no-check-sigs $top && ./gonix store --store copied --verify --check-contents && witness copied && chmod -R u+w copied && rm -r copied`,
			`rm -r disk/cache`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			witness, frees := `witness() { :; }`, "0 60000 1500000"
			if os.Getenv("GONIX_TEST_FULL") == "1" {
				frees = "0 60000 300000 1500000 6000000"
				witness = `witness() { NIX_CONFIG="build-users-group =" nix-store --store $PWD/$1 --verify --check-contents 2>&1 | tee seen; ! grep error seen; }`
			}
			script := "top=" + top.String() + "\nfrees='" + frees + "'\n" + witness // not in the environment, where collectors would see it
			for _, f := range [][2]string{{"before", c.before}, {"act", c.act}, {"look", c.look}, {"see", c.see}, {"clear", c.clear}} {
				script += "\n" + f[0] + "() {\n" + f[1] + "\n}"
			}
			cmd := exec.Command(unshare, "--map-root-user", "--mount", "sh", "-ec", script+onFullDisk)
			cmd.Dir = t.TempDir()
			for _, link := range []string{"gonix", "from"} {
				if err := os.Symlink(filepath.Join(dir, link), filepath.Join(cmd.Dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") || strings.HasPrefix(v, "XDG_") }),
				"HOME="+cmd.Dir, "NIX_CONF_DIR="+cmd.Dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
