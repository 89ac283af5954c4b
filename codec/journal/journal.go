package journal

import (
	"errors"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// A Store is one core.EffectAppend or core.EffectCompact on its way to the disk.
type Store struct {
	Proto    core.Proto
	Snapshot bool // Data replaces all that the machine stored before
	Token    core.Token
	Data     []byte
	// Err is why the store is not durable. Commit sets it; whoever cannot even keep Data until then sets it
	// before, and the machine's later records are refused as well: they would leave a gap.
	Err error
}

// A Journal is the files of one node. It is for one goroutine.
type Journal struct {
	dir   Dir
	bug   mutant.ID
	files map[core.Proto]*file
}

// Commit makes a batch durable, one machine's file after the other, and sets Err of every store that is not.
// It returns the failures of files: such a file takes no more records until a snapshot of its machine comes.
func (j *Journal) Commit(batch []Store) error {
	var touched []*file
	for i := range batch {
		f := j.file(batch[i].Proto)
		if f.add(&batch[i]) {
			touched = append(touched, f)
		}
	}
	var errs []error
	for _, f := range touched {
		errs = append(errs, f.commit())
	}
	for i := range batch {
		if s := &batch[i]; s.Err == nil {
			s.Err = j.files[s.Proto].broken
		}
	}
	return errors.Join(errs...)
}

func (j *Journal) file(p core.Proto) *file {
	f := j.files[p]
	if f == nil {
		f = &file{dir: j.dir, bug: j.bug, name: fileName(p), fresh: true}
		j.files[p] = f
	}
	return f
}
