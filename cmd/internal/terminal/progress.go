// Package terminal shows what goes on: lines that are redrawn in place, plain lines
// where there is no terminal, and the JSON log.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Progress shows what is going on: on a terminal one line a job, redrawn in
// place below whatever was printed; elsewhere plain lines, one for each thing
// that starts or ends.
type Progress struct {
	w     io.Writer
	live  bool       // a terminal: redraw
	width func() int // columns of the terminal
	Logs  bool       // print build logs as they come
	Raw   bool       // without the names of the builds, as the old commands of Nix
	Quiet bool
	Also  []*JSONLog // are told of everything

	mu     sync.Mutex
	start  time.Time
	stage  string // what goes on outside of jobs ("evaluating redis.nix")
	jobs   []*jobLine
	done   int
	failed int // builds
	total  int
	came   int   // objects from binary caches
	bytes  int64 // downloaded by finished jobs
	drawn  int   // lines on the screen that are ours
	stop   chan struct{}
	ended  chan struct{}
}

// jobLine is one running job.
type jobLine struct {
	id          string
	name        string
	download    bool
	copied      bool // from a binary cache: not one of the builds
	phase, line string
	got, want   int64
	began       time.Time
}

func New(w io.Writer, live bool, width func() int) *Progress {
	return &Progress{w: w, live: live, width: width, start: time.Now()}
}

// Run redraws a terminal until close is called.
func (p *Progress) Run() {
	if !p.live || p.Quiet {
		return
	}
	p.stop, p.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.mu.Lock()
				p.draw()
				p.mu.Unlock()
			}
		}
	}()
}

// Rest removes our lines from the terminal until run is called again.
func (p *Progress) Rest() {
	if p.stop != nil {
		close(p.stop)
		<-p.ended
		p.stop = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// Close removes our lines from the terminal for good.
func (p *Progress) Close() {
	p.Rest()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = false
}

// Printf writes whole lines above the running ones.
func (p *Progress) Printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	p.say(text)
	for _, l := range p.Also {
		if p.w != io.Writer(l) {
			io.WriteString(l, text)
		}
	}
}

func (p *Progress) say(text string) {
	p.erase()
	io.WriteString(p.w, strings.TrimSuffix(text, "\n")+"\n")
}

// Again makes p ready for other jobs than those it showed.
func (p *Progress) Again(live bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live, p.start = live, time.Now()
	p.jobs, p.done, p.failed, p.total, p.came, p.bytes = nil, 0, 0, 0, 0, 0
}

func (p *Progress) SetStage(stage string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage = stage
}

func (p *Progress) SetTotal(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = n
}

func (p *Progress) Started(id, name string, download bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, &jobLine{id: id, name: name, download: download, began: time.Now()})
	for _, l := range p.Also {
		l.start(id, activityBuild, "building '"+id+"'", id, "", 1, 1)
	}
	if !p.live && !p.Quiet {
		if download {
			p.say("downloading '" + id + "'...")
		} else {
			p.say("building '" + id + "'...")
		}
	}
}

// Detail tells the logs what hardly anybody wants to read.
func (p *Progress) Detail(text string) {
	for _, l := range p.Also {
		l.message(levelChatty, text)
	}
}

func (p *Progress) job(id string) *jobLine {
	for _, j := range p.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

func (p *Progress) Phased(id, phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.job(id); j != nil {
		j.phase, j.line = phase, ""
	}
	for _, l := range p.Also {
		l.result(id, resultSetPhase, phase)
	}
}

func (p *Progress) Logged(id, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.job(id)
	if j == nil {
		return
	}
	for _, l := range p.Also {
		l.result(id, resultLogLine, line)
	}
	if p.Logs {
		if p.Raw {
			p.say(line)
		} else {
			p.say(j.name + "> " + line)
		}
	}
	if s := strings.TrimSpace(Printable(line)); s != "" {
		j.line = s
	}
}

func (p *Progress) Received(id string, got, want int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.job(id); j != nil {
		j.got, j.want = got, want
	}
	for _, l := range p.Also {
		l.progress(id, got, want)
	}
}

// Ended takes a job off the screen; ok says that it made what it was to make.
func (p *Progress) Ended(id string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.job(id)
	if j == nil {
		return
	}
	for _, l := range p.Also {
		l.stop(id)
	}
	p.jobs = slices.DeleteFunc(p.jobs, func(other *jobLine) bool { return other == j })
	if j.download {
		p.bytes += j.got
	}
	switch {
	case ok && j.copied:
		p.came++
	case ok:
		p.done++
	case !j.copied:
		p.failed++
	}
}

// erase takes our lines off the terminal.
func (p *Progress) erase() {
	if p.drawn > 0 {
		fmt.Fprintf(p.w, "\x1b[%dA\x1b[J", p.drawn)
		p.drawn = 0
	}
}

func (p *Progress) draw() {
	if !p.live {
		return
	}
	var lines []string
	if p.stage != "" && len(p.jobs) == 0 {
		lines = append(lines, p.stage)
	}
	for i, j := range p.jobs {
		if i == 12 {
			lines = append(lines, fmt.Sprintf("  … and %d more", len(p.jobs)-i))
			break
		}
		lines = append(lines, j.text())
	}
	if p.total > 0 || p.came > 0 {
		s := fmt.Sprintf("[%d/%d built", p.done, p.total)
		if p.failed > 0 {
			s += fmt.Sprintf(" (%d failed)", p.failed)
		}
		if p.came > 0 {
			s += fmt.Sprintf(", %d copied", p.came)
		}
		if p.bytes > 0 {
			s += ", " + ByteSize(p.bytes) + " downloaded"
		}
		lines = append(lines, fmt.Sprintf("%s, %s]", s, time.Since(p.start).Round(time.Second)))
	}
	width := p.width()
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	for _, l := range lines {
		b.WriteString("\x1b[2K" + Clip(l, width-1) + "\n")
	}
	if p.drawn > len(lines) {
		b.WriteString("\x1b[J")
	}
	p.drawn = len(lines)
	io.WriteString(p.w, b.String())
}

func (j *jobLine) text() string {
	s := j.name
	switch {
	case j.download && j.want > 0:
		return fmt.Sprintf("%s  %s of %s%s", s, ByteSize(j.got), ByteSize(j.want), j.speed())
	case j.download && j.got > 0:
		return fmt.Sprintf("%s  %s%s", s, ByteSize(j.got), j.speed())
	}
	if j.phase != "" {
		s += " (" + strings.TrimSuffix(j.phase, "Phase") + ")"
	}
	if t := time.Since(j.began); t >= 2*time.Second {
		s += " " + t.Round(time.Second).String()
	}
	if j.line != "" {
		s += ": " + j.line
	}
	return s
}

// speed is the mean one of a download, once it means something.
func (j *jobLine) speed() string {
	t := time.Since(j.began)
	if t < 500*time.Millisecond {
		return ""
	}
	return ", " + ByteSize(int64(float64(j.got)/t.Seconds())) + "/s"
}

// Copying shows an object on its way from one store to another; "" is that of the
// command.
func (p *Progress) Copying(id, name, from, to string) {
	text := fmt.Sprintf("copying path '%s' from '%s'", id, from)
	if from == "" {
		text = fmt.Sprintf("copying path '%s' to '%s'", id, to)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, &jobLine{id: id, name: name, download: true, copied: true, began: time.Now()})
	for _, l := range p.Also {
		l.start(id, activityCopyPath, text, id, cmp.Or(from, "local"), cmp.Or(to, "local"))
	}
	if !p.live && !p.Quiet {
		p.say(text + "...")
	}
}

// Clip cuts s to n columns, counting a rune as one.
func Clip(s string, n int) string {
	if n <= 0 {
		return ""
	}
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// Printable drops what would move the cursor or change colours.
func Printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 0x1b && i+1 < len(s) && s[i+1] == '[':
			i += 2
			for i < len(s) && (s[i] < '@' || s[i] > '~') {
				i++
			}
		case c == '\t':
			b.WriteByte(' ')
		case c >= ' ' && c != 0x7f:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ByteSize writes a size as people read it, in powers of 1000 as docker does.
func ByteSize(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for f >= 999.5 && unit < 3 {
		f, unit = f/1000, unit+1
	}
	digits := 1
	if f >= 99.95 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %cB", digits, f, "kMGT"[unit])
}

// BinarySize is a size as Nix shows it, in powers of 1024 from KiB up.
func BinarySize(n int64) string {
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < 5 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTPE"[unit])
}

// Write implements [io.Writer]: it prints whole lines above the running ones.
func (p *Progress) Write(b []byte) (int, error) {
	p.Printf("%s", b)
	return len(b), nil
}
