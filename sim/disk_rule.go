package sim

import (
	"slices"

	"github.com/nekton-go/nekton/sim/check"
)

// diskRule is one open window of a fault of disks.
type diskRule struct {
	op      int32
	backups []*backup // of the disks of the operation's Nodes, for DiskStale
}

// backup is a copy of a disk, with what its member had asked for by then.
type backup struct {
	image []diskEntry
	asked []check.Stored
	broke bool
}

func (w *world) openDisks(index int32) {
	op := &w.ops[index]
	r := diskRule{op: index}
	for _, i := range op.Nodes {
		w.nodes[i].unwell = true
		if s := &w.nodes[i].storage; op.Kind == DiskStale {
			r.backups = append(r.backups, &backup{s.image(), slices.Clone(s.asked), s.broke || s.lied})
		}
	}
	w.disks = append(w.disks, r)
	w.rule(op.Nodes)
}

func (w *world) closeDisks(index int32) {
	w.disks = slices.DeleteFunc(w.disks, func(r diskRule) bool { return r.op == index })
	w.rule(w.ops[index].Nodes)
}

// rule brings all open windows to bear on the disks of some members.
func (w *world) rule(nodes []int) {
	for _, i := range nodes {
		s := &w.nodes[i].storage
		s.diskFaults, s.slow, s.stale = diskFaults{}, 0, nil
		for _, r := range w.disks {
			op := &w.ops[r.op]
			at := slices.Index(op.Nodes, i)
			if at < 0 {
				continue
			}
			s.slow = max(s.slow, op.Extra)
			switch op.Kind {
			case DiskFull:
				s.full = true
			case DiskError:
				s.errors = max(s.errors, op.PPM)
			case DiskTorn:
				s.tears = true
			case DiskReorder:
				s.reorders = true
			case DiskLose:
				s.lies = true
			case DiskRot:
				s.rot = max(s.rot, op.PPM)
			case DiskStale:
				if s.stale == nil {
					s.stale = r.backups[at]
				}
			}
		}
	}
}
