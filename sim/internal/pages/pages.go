// Package pages holds large arrays of which many are nearly the same: what each of thousands of members believes
// of each of the others. They share pages until one of them writes.
package pages

const (
	shift = 5
	size  = 1 << shift // values of one page: few, since the first write to one copies them all
)

// An Array is an endless sequence of values that are zero until they are written. Its zero value takes no
// memory. It must not be copied but by Clone.
type Array[T any] struct {
	pages []*page[T] // nil: all zero
}

type page[T any] struct {
	shared bool // or once was: nobody writes to it
	at     [size]T
}

// Get returns value i, which is 0 or more.
func (a *Array[T]) Get(i int) (v T) {
	if k := i >> shift; k < len(a.pages) && a.pages[k] != nil {
		return a.pages[k].at[i&(size-1)]
	}
	return v
}

// Edit lends value i for writing, until the array is next cloned.
func (a *Array[T]) Edit(i int) *T {
	k := i >> shift
	if k >= len(a.pages) {
		a.pages = append(a.pages, make([]*page[T], k+1-len(a.pages))...)
	}
	switch p := a.pages[k]; {
	case p == nil:
		a.pages[k] = new(page[T])
	case p.shared:
		a.pages[k] = &page[T]{at: p.at}
	}
	return &a.pages[k].at[i&(size-1)]
}

// Clone returns an array of the same values. It takes memory for what comes to differ from a.
func (a *Array[T]) Clone() Array[T] {
	for _, p := range a.pages {
		if p != nil {
			p.shared = true
		}
	}
	return Array[T]{pages: append([]*page[T](nil), a.pages...)}
}
