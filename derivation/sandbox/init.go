//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Descriptors that init is started with.
const (
	initPlan    = 3 // the plan is read from here
	initOutcome = 4 // and the outcome written there
)

// runInit is the first process of the namespaces.
func runInit() error {
	p, err := readPlan(os.NewFile(initPlan, "plan"))
	if err != nil {
		return err
	}
	unix.CloseOnExec(initOutcome)
	out, err := initialise(p)
	if err != nil {
		out = outcome{Error: err.Error()}
		var errno syscall.Errno
		if errors.As(err, &errno) {
			out.Errno = int(errno)
		}
	}
	return json.NewEncoder(os.NewFile(initOutcome, "outcome")).Encode(out)
}

// initialise makes the sandbox, runs the payload in it, and waits.
func initialise(p *plan) (outcome, error) {
	unix.Umask(0o022)
	nowhere, _ := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return outcome{}, fmt.Errorf("make mounts private: %w", err)
	}
	// The machine's /proc numbers processes in another way.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return outcome{}, fmt.Errorf("mount /proc for a new pid namespace: %w", err)
	}
	if err := unix.Sethostname([]byte("localhost")); err != nil {
		return outcome{}, fmt.Errorf("set the host name: %w", err)
	}
	if err := unix.Setdomainname([]byte("(none)")); err != nil {
		return outcome{}, fmt.Errorf("set the domain name: %w", err)
	}
	if !p.HostNetwork {
		if err := loopbackUp(); err != nil {
			return outcome{}, err
		}
	}
	main, err := startPayload(p)
	if err != nil {
		return outcome{}, err
	}
	r, err := openRoot(p)
	if err != nil {
		return outcome{}, err
	}
	if err := furnish(r, p); err != nil {
		return outcome{}, err
	}
	if err := r.enter(); err != nil {
		return outcome{}, err
	}
	if p.Probe {
		endAll()
		return outcome{}, nil
	}
	var rec *recorder
	if p.Record {
		if rec, err = newRecorder("/", p.Owners); err != nil {
			return outcome{}, err
		}
	}
	if err := main.release(goOn); err != nil {
		return outcome{}, err
	}
	if !p.Record {
		leaveLog(nowhere)
	}
	if p.Record {
		listener, err := main.listener()
		if err != nil {
			// The payload has said on standard error why it gave up.
			if out, ok := main.wait(); ok {
				return out, nil
			}
			return outcome{}, err
		}
		rec.start(listener)
	}
	out, ok := main.wait()
	if !ok {
		return outcome{}, errors.New("the sandbox's program was lost")
	}
	endAll()
	if p.Record {
		rec.stop()
	}
	if p.InPlace {
		r.leave()
	}
	if p.Record {
		if out.Owners, err = rec.table(); err != nil {
			return outcome{}, err
		}
		out.Notes = rec.notes
	}
	return out, nil
}

// furnish fills the root.
func furnish(r *root, p *plan) error {
	for _, d := range p.Dirs {
		if err := r.mkdir(d.Path, d.Mode); err != nil {
			return err
		}
	}
	for _, f := range p.Files {
		if err := r.write(f); err != nil {
			return err
		}
	}
	for _, l := range p.Links {
		if err := r.symlink(l); err != nil {
			return err
		}
	}
	if err := r.system(); err != nil {
		return err
	}
	if err := r.mkdir("/nix/store", 0o755); err != nil {
		return err
	}
	if p.Store != "" {
		if err := r.mount(p.Store, "/nix/store", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
		if err := r.restrict("/nix/store", unix.MS_NOSUID|unix.MS_NODEV); err != nil {
			return err
		}
	} else if err := r.mount("tmpfs", "/nix/store", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return err
	}
	for _, m := range p.Binds {
		if err := r.bind(m); err != nil {
			return err
		}
	}
	if p.Store == "" {
		if err := r.restrict("/nix/store", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV); err != nil {
			return err
		}
	}
	if !p.InPlace {
		return r.restrict("/", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV)
	}
	return nil
}

// endAll ends every other process of the sandbox and waits for them.
func endAll() {
	// As the first process we are not hit ourselves.
	unix.Kill(-1, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(-1, nil, 0, nil); err != nil && err != unix.EINTR {
			return
		}
	}
}

// payload is the process that becomes the builder.
type payload struct {
	pid   int
	start *os.File // written to when the root is ready
	sock  *os.File // the recorder's listener comes from here
}

// leaveLog lets go of the log, so that it ends when the builder's processes have
// closed it. nowhere is the open null device; without it the log stays open.
func leaveLog(nowhere int) {
	if nowhere < 0 {
		return
	}
	for fd := 1; fd <= 2; fd++ {
		unix.Dup3(nowhere, fd, 0)
	}
}

// startPayload starts the payload's process, in a user namespace of its own
// where it has the ids of the plan and no power over the mounts. It waits to be
// released.
func startPayload(p *plan) (*payload, error) {
	its := plan{Path: p.Path, Args: p.Args, Env: p.Env, Dir: p.Dir, Linux32: p.Linux32, Record: p.Record, Direct: p.Direct}
	if p.Direct {
		its.Root = p.Root
	}
	text, err := its.encode()
	if err != nil {
		return nil, err
	}
	var start [2]int
	if err := unix.Pipe2(start[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	socks, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("create a pair of sockets: %w", err)
	}
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if !p.Direct {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: p.UID, HostID: 0, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: p.GID, HostID: 0, Size: 1}}
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{payloadName}, &syscall.ProcAttr{
		Env:   []string{},
		Files: []uintptr{0, 1, 2, uintptr(start[0]), uintptr(socks[1])},
		Sys:   attr,
	})
	unix.Close(start[0])
	unix.Close(socks[1])
	if err != nil {
		return nil, fmt.Errorf("start the sandbox's program: %w", err)
	}
	main := &payload{pid: pid, start: os.NewFile(uintptr(start[1]), "start"), sock: os.NewFile(uintptr(socks[0]), "listener")}
	// The plan may be longer than a pipe holds; the payload reads it at once.
	if _, err := main.start.Write(text); err != nil {
		return nil, fmt.Errorf("tell the sandbox's program what to do: %w", err)
	}
	// Until the process has loaded all its libraries it needs the old root.
	if _, err := main.sock.Read(make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("wait for the sandbox's program to start: %w", err)
	}
	return main, nil
}

// What the payload is told when it is released.
const (
	goOn        = '\n'
	goOnForReal = 'r' // without a recorder, though the plan wants one
)

// release lets the payload go on.
func (m *payload) release(how byte) error {
	if _, err := m.start.Write([]byte{how}); err != nil {
		return fmt.Errorf("release the sandbox's program: %w", err)
	}
	return m.start.Close()
}

// listener receives the descriptor that the payload sends. The error is
// errNoListener if the payload could not have one.
func (m *payload) listener() (int, error) {
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(m.sock.Fd()), buf, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("receive the recorder's descriptor: %w", err)
	}
	if buf[0] == noListener {
		return -1, errNoListener
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 {
		return -1, errors.New("receive the recorder's descriptor: the sandbox's program ended early")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1, errors.New("receive the recorder's descriptor: there is none in the message")
	}
	return fds[0], nil
}

// kill ends the payload, which need not be there any more.
func (m *payload) kill() { unix.Kill(m.pid, unix.SIGKILL) }

// wait waits for the payload to end and reaps whoever lost his parent
// meanwhile.
func (m *payload) wait() (outcome, bool) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return outcome{}, false
		case pid != m.pid:
		case status.Signaled():
			return outcome{Signal: int(status.Signal())}, true
		case status.Exited():
			return outcome{Exit: status.ExitStatus()}, true
		}
	}
}
