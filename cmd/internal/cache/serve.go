package cache

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/cacheserver"
	"gonix/derivation/store"
)

// Serve offers the store as a binary cache until it is interrupted.
func Serve(ctx context.Context, w *process.World, name string, args []string) error {
	var f config.Flags
	var files []string
	var listen string
	var priority int
	fs := config.NewFlagSet(name)
	fs.StringVarP(&listen, "listen", "l", "127.0.0.1:5000", "`address` and port")
	fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key that signs the answers (repeatable)")
	fs.IntVar(&priority, "priority", 30, "what clients are told: caches with smaller `numbers` are asked first")
	f.DeclareSettings(fs)
	f.DeclareLast(fs)
	set, stop, err := config.Begin(w, &f, fs, args, config.Usage{Forms: []string{"[FLAG]..."}, About: "Offer the store as a binary cache over HTTP."})
	if set == nil {
		return err
	}
	defer stop()
	if len(f.Args) > 0 {
		return config.SeeHelp(fmt.Errorf("'%s' is one argument too many", f.Args[0]), name)
	}
	keys, err := network.SecretKeys(w, files)
	if err != nil {
		return err
	}
	st, err := stores.OpenAt(w, f.Store, store.Options{ReadOnly: true})
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
			Log: func(err error) { w.Warn(err.Error()) },
		}),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(w.Stderr, "", 0),
	}
	fmt.Fprintf(w.Stderr, "serving '%s' at http://%s\n", st.Dir(), socket.Addr())
	unhook := context.AfterFunc(ctx, func() { server.Close() })
	defer unhook()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
