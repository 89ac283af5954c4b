package sim

import (
	"bytes"

	"github.com/nekton-go/nekton/internal/mix"
)

// What becomes of a disk while nobody writes to it.

// crash cuts the power: what is pending is lost, but for what the faults in force let survive.
func (d *disk) crash() {
	d.crashes++
	d.broke = d.broke || d.lied
	switch {
	case d.reorders:
		for i, c := range d.pending {
			d.scatter(c, draw(d.seed, forDiskTear, d.member, d.crashes, uint64(i)))
		}
	case d.tears:
		d.tear(draw(d.seed, forDiskTear, d.member, d.crashes, 0))
	}
	d.pending, d.lied, d.power = nil, false, -1
	d.cached = append(d.cached[:0], d.stable...)
	for _, e := range d.stable {
		e.file.cached = bytes.Clone(e.file.stable)
	}
}

// tear keeps the oldest of what is pending, up to some byte.
func (d *disk) tear(random uint64) {
	kept := int(below(random, int64(len(d.pending)+1)))
	for _, c := range d.pending[:kept] {
		d.write(c)
	}
	if kept == len(d.pending) {
		return
	}
	if c := d.pending[kept]; c.kind == changeWrite {
		c.data = c.data[:below(mix.Uint64(random), int64(len(c.data)))]
		d.counts.DiskWritesTorn++
		d.write(c)
	}
}

// scatter keeps one change, or not; of a write, each of up to three pieces, or not.
func (d *disk) scatter(c change, random uint64) {
	if c.kind != changeWrite {
		if random&1 == 0 {
			d.write(c)
		}
		return
	}
	whole := c
	first := int(below(mix.Uint64(random), int64(len(c.data)+1)))
	second := first + int(below(mix.Uint64(random+1), int64(len(c.data)-first+1)))
	for i, from := range [...]int{0, first, second} {
		to := [...]int{first, second, len(whole.data)}[i]
		if from < to && random>>i&1 == 0 {
			c.at, c.data = whole.at+from, whole.data[from:to]
			d.write(c)
		} else if from < to {
			d.counts.DiskPiecesLost++
		}
	}
}

// decay flips bits on the medium. Nothing must be pending.
func (d *disk) decay() {
	if d.rot == 0 {
		return
	}
	bit := uint64(0)
	for _, e := range d.stable {
		for i := range 8 * len(e.file.stable) {
			bit++
			if chance(draw(d.seed, forDiskRot, d.member, d.recoveries, bit), d.rot) {
				e.file.stable[i/8] ^= 1 << (i % 8)
				e.file.cached[i/8] ^= 1 << (i % 8)
				d.counts.DiskBitsFlipped++
				d.broke = true
			}
		}
	}
}

// image copies the medium.
func (d *disk) image() []diskEntry {
	copied := make([]diskEntry, len(d.stable))
	for i, e := range d.stable {
		copied[i] = diskEntry{e.name, &diskFile{stable: bytes.Clone(e.file.stable)}}
	}
	return copied
}

// restore puts an image in the place of all that was there.
func (d *disk) restore(image []diskEntry) {
	d.stable, d.pending, d.lied = image, nil, false
	d.stable = d.image()
	d.cached = append(d.cached[:0], d.stable...)
	for _, e := range d.stable {
		e.file.cached = bytes.Clone(e.file.stable)
	}
}

// twin is a copy of the disk to try something on. It can tear, but nothing else is wrong with it.
func (d *disk) twin() disk {
	t := disk{seed: d.seed, member: d.member, crashes: d.crashes, power: -1, counts: new(Faults)}
	t.tears, t.reorders = d.tears, d.reorders
	t.restore(d.stable)
	return t
}
