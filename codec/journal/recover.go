package journal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

const (
	filePrefix    = "proto-"
	fileSuffix    = ".journal"
	tempSuffix    = ".tmp"
	damagedSuffix = ".damaged"
)

// ErrForeign is wrapped by the error of Open for a file that another version wrote.
var ErrForeign = errors.New("written by another version; use that, or move the file away")

// Past is what Open found.
type Past struct {
	Inputs  []core.Input // core.InputRestore and core.InputReplay, in the order a node expects
	Repairs []Repair
}

// A Repair is what was cut off a file.
type Repair struct {
	Proto  core.Proto
	File   string
	Offset int    // bytes of the file that were good
	Lost   int    // bytes after those
	Aside  string // where a copy of a damaged file is kept; empty if the file was merely cut short by a crash
}

// Open recovers the journal in dir. On an error it can be opened again: nothing that was good is gone.
func Open(dir Dir) (*Journal, Past, error) { return OpenMutant(dir, mutant.None) }

// OpenMutant is Open with a bug, so that checks can be tested.
func OpenMutant(dir Dir, bug mutant.ID) (*Journal, Past, error) {
	j := &Journal{dir: dir, bug: bug, files: map[core.Proto]*file{}}
	var past Past
	protos, err := j.scan()
	for _, p := range protos {
		if err == nil {
			err = j.recover(p, &past)
		}
	}
	if err != nil {
		return nil, past, err
	}
	return j, past, nil
}

// scan lists the machines that have a file, and removes files that were being written at a crash.
func (j *Journal) scan() ([]core.Proto, error) {
	names, err := j.dir.List()
	if err != nil {
		return nil, err
	}
	var protos []core.Proto
	for _, name := range names {
		if strings.HasSuffix(name, tempSuffix) {
			if err := j.dir.Remove(name); err != nil {
				return nil, err
			}
			continue
		}
		number, isJournal := strings.CutSuffix(name, fileSuffix)
		n, err := strconv.ParseUint(strings.TrimPrefix(number, filePrefix), 10, 8)
		if isJournal && err == nil {
			protos = append(protos, core.Proto(n))
		}
	}
	slices.Sort(protos)
	return protos, nil
}

func fileName(p core.Proto) string { return filePrefix + strconv.Itoa(int(p)) + fileSuffix }

// recover reads one machine's file and mends it, so that the next record follows the last good one.
func (j *Journal) recover(p core.Proto, past *Past) error {
	f := &file{dir: j.dir, bug: j.bug, name: fileName(p)}
	data, err := j.dir.Read(f.name)
	if err != nil {
		return err
	}
	j.files[p] = f
	records, good, found := parseFile(data, f.bug)
	repair := Repair{Proto: p, File: f.name, Offset: good, Lost: len(data) - good}
	switch found {
	case torn:
		past.Repairs = append(past.Repairs, repair)
		if err = f.truncate(good); f.bug == mutant.MendInPlace {
			err = write(f.dir, f.name, data[:good])
		}
	case damaged:
		if repair.Aside, err = j.setAside(f.name, data); err == nil {
			past.Repairs = append(past.Repairs, repair)
			err = f.replace(orHeader(data[:good]))
		}
	case foreign:
		err = fmt.Errorf("%s was %w", f.name, ErrForeign)
	}
	for _, r := range records {
		kind := core.InputReplay
		if r.snapshot {
			kind = core.InputRestore
		}
		past.Inputs = append(past.Inputs, core.Input{Kind: kind, Proto: p, Data: r.data})
	}
	return err
}

// setAside keeps a copy of a damaged file under a name that is free.
func (j *Journal) setAside(name string, data []byte) (string, error) {
	taken, err := j.dir.List()
	if err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		aside := name + "." + strconv.Itoa(i) + damagedSuffix
		if !slices.Contains(taken, aside) {
			return aside, write(j.dir, aside, data)
		}
	}
}
