// Package memory keeps on disk what binary caches have answered, so that the next
// run need not ask again: for some time that something is there, for a shorter
// time that it is not. (Nix: libstore/nar-info-disk-cache.cc)
//
// It is an SQLite file that several processes use at once. Losing it loses
// nothing but time, so it is never synced, errors count as "not known", and a file
// that is no database is replaced.
package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"gonix/derivation/binarycache"
)

// FileName is what the file should be called; it changes with the schema.
const FileName = "binary-caches-1.sqlite"

const schema = `
create table if not exists Caches (
    url text primary key not null, time integer not null,
    priority integer not null, massQuery integer not null
);
create table if not exists Infos (
    url text not null, hash text not null, time integer not null, text text not null,
    primary key (url, hash)
) without rowid;
create table if not exists Unreachable (url text primary key not null, time integer not null);
create table if not exists Purged (one integer primary key check (one = 1), time integer not null);
`

const (
	// describedFor is how long a cache's own description holds (Nix: cacheInfoTtl).
	describedFor  = 7 * 24 * time.Hour
	purgeInterval = 24 * time.Hour
	busyTimeout   = 2 * time.Second
)

// Disk is a memory in a file. Its methods may be called concurrently.
type Disk struct {
	file string
	opts Options

	mu     sync.Mutex
	conn   *sqlite.Conn
	failed error // why there is no file
}

var _ binarycache.Memory = (*Disk)(nil)

// Options say how long answers hold.
type Options struct {
	Positive    time.Duration // Nix: narinfo-cache-positive-ttl
	Negative    time.Duration // Nix: narinfo-cache-negative-ttl
	Unreachable time.Duration // that a cache cannot be reached
	Now         func() time.Time
}

// New returns the memory in a file, which is opened or made when it is needed.
func New(file string, opts Options) *Disk {
	return &Disk{file: file, opts: opts}
}

// Close closes the file. Err says whether the memory worked.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}

// Err says why the memory does not work, nil if it does or was not needed.
func (d *Disk) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// with calls fn with the open file.
func (d *Disk) with(fn func(*sqlite.Conn) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed != nil {
		return
	}
	if d.conn == nil {
		if d.failed = d.open(); d.failed != nil {
			d.failed = fmt.Errorf("remember the answers of binary caches in '%s': %w", d.file, d.failed)
			return
		}
	}
	_ = fn(d.conn) // what cannot be read or written is asked again
}

func (d *Disk) open() error {
	if err := os.MkdirAll(filepath.Dir(d.file), 0o777); err != nil {
		return err
	}
	err := d.connect()
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultNotADB, sqlite.ResultCorrupt:
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			if e := os.Remove(d.file + suffix); e != nil && !errors.Is(e, fs.ErrNotExist) {
				return e
			}
		}
		err = d.connect()
	}
	return err
}

func (d *Disk) connect() error {
	conn, err := sqlite.OpenConn(d.file, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	conn.SetBusyTimeout(busyTimeout)
	err = sqlitex.ExecuteTransient(conn, "pragma synchronous = off", nil)
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, "pragma journal_mode = truncate", nil)
	}
	if err == nil {
		err = sqlitex.ExecuteScript(conn, schema, nil)
	}
	if err == nil {
		err = d.purge(conn)
	}
	if err != nil {
		conn.Close()
		return err
	}
	d.conn = conn
	return nil
}

// purge forgets what no longer holds, once a day.
func (d *Disk) purge(conn *sqlite.Conn) (err error) {
	now := d.opts.Now()
	fresh := false
	err = query(conn, "select 1 from Purged where time > ?", func(*sqlite.Stmt) { fresh = true }, now.Add(-purgeInterval).Unix())
	if err != nil || fresh {
		return err
	}
	defer sqlitex.Save(conn)(&err)
	for _, q := range []struct {
		text string
		ttl  time.Duration
	}{
		{"delete from Infos where text = '' and time <= ?", d.opts.Negative},
		{"delete from Infos where time <= ?", d.opts.Positive},
		{"delete from Caches where time <= ?", describedFor},
		{"delete from Unreachable where time <= ?", d.opts.Unreachable},
	} {
		if err := query(conn, q.text, nil, now.Add(-q.ttl).Unix()); err != nil {
			return err
		}
	}
	return query(conn, "insert or replace into Purged values (1, ?)", nil, now.Unix())
}

// query runs one statement.
func query(conn *sqlite.Conn, text string, row func(*sqlite.Stmt), args ...any) error {
	return sqlitex.Execute(conn, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(st *sqlite.Stmt) error {
		if row != nil {
			row(st)
		}
		return nil
	}})
}

// since is the time of the oldest answer that holds for ttl.
func (d *Disk) since(ttl time.Duration) int64 { return d.opts.Now().Add(-ttl).Unix() }

// Description implements [binarycache.Memory].
func (d *Disk) Description(url string) (about binarycache.Description, known bool) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "select priority, massQuery from Caches where url = ? and time > ?", func(st *sqlite.Stmt) {
			about, known = binarycache.Description{Priority: st.ColumnInt(0), MassQuery: st.ColumnBool(1)}, true
		}, url, d.since(describedFor))
	})
	return about, known
}

// SetDescription implements [binarycache.Memory].
func (d *Disk) SetDescription(url string, about binarycache.Description) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "insert or replace into Caches (url, time, priority, massQuery) values (?, ?, ?, ?)", nil,
			url, d.opts.Now().Unix(), about.Priority, about.MassQuery)
	})
}

// Info implements [binarycache.Memory].
func (d *Disk) Info(url, hash string) (text string, known bool) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "select text from Infos where url = ? and hash = ? and time > iif(text = '', ?, ?)", func(st *sqlite.Stmt) {
			text, known = st.ColumnText(0), true
		}, url, hash, d.since(d.opts.Negative), d.since(d.opts.Positive))
	})
	return text, known
}

// SetInfo implements [binarycache.Memory].
func (d *Disk) SetInfo(url, hash, text string) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "insert or replace into Infos (url, hash, time, text) values (?, ?, ?, ?)", nil, url, hash, d.opts.Now().Unix(), text)
	})
}

// Unreachable reports whether the cache could not be reached a short time ago.
func (d *Disk) Unreachable(url string) (is bool) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "select 1 from Unreachable where url = ? and time > ?", func(*sqlite.Stmt) { is = true }, url, d.since(d.opts.Unreachable))
	})
	return is
}

// SetUnreachable remembers that the cache could not be reached.
func (d *Disk) SetUnreachable(url string) {
	d.with(func(conn *sqlite.Conn) error {
		return query(conn, "insert or replace into Unreachable (url, time) values (?, ?)", nil, url, d.opts.Now().Unix())
	})
}
