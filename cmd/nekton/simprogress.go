package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress is a line on a terminal that says how far a sweep is. Anywhere else it says nothing.
type progress struct {
	w     io.Writer // nil: nobody looks
	all   uint64
	start time.Time
	shown time.Time
	lines bool // one stands there
}

// redraw is how often the line changes at most.
const redraw = 200 * time.Millisecond

func newProgress(w io.Writer, all uint64) *progress {
	if !isTerminal(w) {
		w = nil
	}
	return &progress{w: w, all: all, start: time.Now()}
}

// isTerminal reports whether people look at what is written: a character device, but not the one for nobody.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nobody, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nobody)
}

func (p *progress) step(done, failed int) {
	if p.w == nil || time.Since(p.shown) < redraw {
		return
	}
	p.shown = time.Now()
	took := time.Since(p.start)
	rate := fmt.Sprintf("%d failed, %.1f seeds/s", failed, perSecond(done, took))
	if p.all >= openEnd/2 {
		p.say("%d seeds, %s", done, rate)
		return
	}
	left := took * time.Duration(p.all-uint64(done)) / time.Duration(done)
	p.say("%3d %%  %d of %d seeds, %s, %v left", uint64(done)*100/p.all, done, p.all, rate, left.Round(time.Second))
}

// say shows something else that will not stay.
func (p *progress) say(format string, args ...any) {
	if p.w != nil {
		p.lines = true
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
	}
}

// clear removes the line, for others to be written.
func (p *progress) clear() {
	if p.lines {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.lines = false
	}
}
