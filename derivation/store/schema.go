package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// schemaVersion is the version of Nix's database that this package reads and
// writes; it has been Nix's since 2016 (libstore/local-store.hh,
// nixSchemaVersion).
const schemaVersion = 10

// schema is Nix's (libstore/schema.sql): both programs must be able to open what
// the other one made.
const schema = `
create table if not exists ValidPaths (
    id               integer primary key autoincrement not null,
    path             text unique not null,
    hash             text not null, -- base16 representation
    registrationTime integer not null,
    deriver          text,
    narSize          integer,
    ultimate         integer, -- null implies "false"
    sigs             text, -- space-separated
    ca               text -- if not null, how the path follows from the content
);
create table if not exists Refs (
    referrer  integer not null,
    reference integer not null,
    primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict
);
create index if not exists IndexReferrer on Refs(referrer);
create index if not exists IndexReference on Refs(reference);
create trigger if not exists DeleteSelfRefs before delete on ValidPaths
  begin
    delete from Refs where referrer = old.id and reference = old.id;
  end;
create table if not exists DerivationOutputs (
    drv  integer not null,
    id   text not null, -- symbolic output id, usually "out"
    path text not null,
    primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade
);
create index if not exists IndexDerivationOutputs on DerivationOutputs(path);
`

// readSchema returns the version in the schema file, 0 if there is none.
func readSchema(file string) (int, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || v <= 0 {
		return 0, fmt.Errorf("'%s' is corrupt", file)
	}
	return v, nil
}

// checkSchema refuses the databases that this package cannot handle.
func checkSchema(v int) error {
	switch {
	case v > schemaVersion:
		return fmt.Errorf("current Nix store schema is version %d, but I only support %d", v, schemaVersion)
	case v < schemaVersion:
		return fmt.Errorf("Nix store schema version %d is too old; run a current Nix on the store once to upgrade it to %d", v, schemaVersion)
	}
	return nil
}

// The ways to open a database.
const (
	openReading = iota
	openWriting
	openCreating // its tables, too
)

// openDatabase opens the SQLite file.
func openDatabase(file string, mode int) (*sqlite.Conn, error) {
	pragmas := []string{"foreign_keys = 1", "synchronous = normal", "wal_autocheckpoint = 40000"}
	name, flags := file, sqlite.OpenReadWrite
	switch mode {
	case openCreating:
		flags |= sqlite.OpenCreate | sqlite.OpenWAL
	case openReading:
		flags, pragmas = sqlite.OpenReadOnly, nil
		if noWriterAround(file) {
			flags |= sqlite.OpenURI
			name = immutableURI(file)
		}
	}
	conn, err := sqlite.OpenConn(name, flags)
	if err != nil {
		return nil, sqliteError(err)
	}
	for _, pragma := range pragmas {
		if err := sqlitex.ExecuteTransient(conn, "pragma "+pragma, nil); err != nil {
			conn.Close()
			return nil, sqliteError(err)
		}
	}
	if mode == openCreating {
		if err := sqlitex.ExecuteScript(conn, schema, nil); err != nil {
			conn.Close()
			return nil, sqliteError(err)
		}
	}
	return conn, nil
}

// noWriterAround reports whether a database must be read without locks: its
// directory cannot be written, so there is no place for the shared index that
// readers need, and no write-ahead log says that someone is at work.
func noWriterAround(file string) bool {
	if unix.Access(filepath.Dir(file), unix.W_OK) == nil {
		return false
	}
	_, err := os.Stat(file + "-wal")
	return errors.Is(err, fs.ErrNotExist)
}

// immutableURI names a database that SQLite shall take as it is.
func immutableURI(file string) string {
	var b strings.Builder
	b.WriteString("file:")
	for i := range len(file) {
		if c := file[i]; strings.IndexByte("%?# ", c) >= 0 || c < ' ' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteString("?immutable=1")
	return b.String()
}

// sqliteError makes a full disk recognisable as such, whoever noticed it.
func sqliteError(err error) error {
	switch code := sqlite.ErrCode(err); {
	case err == nil:
		return nil
	case code == sqlite.ResultFull:
		return fmt.Errorf("database: %w", unix.ENOSPC)
	case code == sqlite.ResultIOErrSHMSize, code == sqlite.ResultIOErrWrite:
		return fmt.Errorf("database: %w (is the disk full?)", err)
	case code.ToPrimary() == sqlite.ResultReadOnly, code.ToPrimary() == sqlite.ResultCantOpen:
		return fmt.Errorf("database: %w: %w", ErrReadOnly, err)
	}
	return fmt.Errorf("database: %w", err)
}
