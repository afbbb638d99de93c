package cli

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"gonix/derivation/cacheserver"
	"gonix/derivation/store"
)

// serveCommand offers the store as a binary cache until it is interrupted.
func serveCommand(ctx context.Context, w *world, name string, args []string) error {
	var f commonFlags
	var files []string
	var listen string
	var priority int
	fs := newFlagSet(name)
	fs.StringVarP(&listen, "listen", "l", "127.0.0.1:5000", "`address` and port")
	fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key that signs the answers (repeatable)")
	fs.IntVar(&priority, "priority", 30, "what clients are told: caches with smaller `numbers` are asked first")
	f.declareSettings(fs)
	f.declareLast(fs)
	set, stop, err := begin(w, &f, fs, args, usage{forms: []string{"[FLAG]..."}, about: "Offer the store as a binary cache over HTTP."})
	if set == nil {
		return err
	}
	defer stop()
	if len(f.args) > 0 {
		return seeHelp(fmt.Errorf("'%s' is one argument too many", f.args[0]), name)
	}
	keys, err := secretKeys(w, files)
	if err != nil {
		return err
	}
	st, err := openStoreAt(w, f.store, store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer st.Close()
	socket, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: cacheserver.New(cacheserver.Handler{
			Store: st, Keys: keys, Priority: priority,
			Log: func(err error) { w.warn(err.Error()) },
		}),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(w.stderr, "", 0),
	}
	fmt.Fprintf(w.stderr, "serving '%s' at http://%s\n", st.Dir(), socket.Addr())
	unhook := context.AfterFunc(ctx, func() { server.Close() })
	defer unhook()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
