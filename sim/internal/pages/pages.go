// Package pages holds large arrays of which many are nearly the same: what each of thousands of members believes
// of each of the others. They share pages until one of them writes.
package pages

import "slices"

const shift = 5

// Size is how many values lie in one page, from a multiple of it on: few, since the first write copies them all.
const Size = 1 << shift

// An Array is an endless sequence of values that are zero until they are written. Its zero value takes no
// memory. It must not be copied but by Clone.
type Array[T any] struct {
	list *list[T] // nil: all zero
}

// A list of pages is shared as pages are: an array that never differed from another is one pointer.
type list[T any] struct {
	shared bool // or once was: nobody writes to it
	pages  []*page[T]
}

type page[T any] struct {
	shared bool // likewise
	at     [Size]T
}

// Get returns value i, which is 0 or more.
func (a *Array[T]) Get(i int) (v T) {
	if a.list == nil {
		return v
	}
	if k := i >> shift; k < len(a.list.pages) && a.list.pages[k] != nil {
		return a.list.pages[k].at[i&(Size-1)]
	}
	return v
}

// At lends value i, which has been written, for reading, until it is next written.
func (a *Array[T]) At(i int) *T { return &a.list.pages[i>>shift].at[i&(Size-1)] }

// Edit lends value i for writing, until the array is next cloned.
func (a *Array[T]) Edit(i int) *T {
	switch {
	case a.list == nil:
		a.list = new(list[T])
	case a.list.shared:
		a.list = &list[T]{pages: slices.Clone(a.list.pages)}
		for _, p := range a.list.pages {
			if p != nil {
				p.shared = true
			}
		}
	}
	l, k := a.list, i>>shift
	if k >= len(l.pages) {
		l.pages = append(l.pages, make([]*page[T], k+1-len(l.pages))...)
	}
	switch p := l.pages[k]; {
	case p == nil:
		l.pages[k] = new(page[T])
	case p.shared:
		l.pages[k] = &page[T]{at: p.at}
	}
	return &l.pages[k].at[i&(Size-1)]
}

// Clone returns an array of the same values. It takes memory for what comes to differ from a.
func (a *Array[T]) Clone() Array[T] {
	if a.list != nil {
		a.list.shared = true
	}
	return Array[T]{a.list}
}

// Shared returns the page that value i lies in, if arrays have it in common and so nobody writes to it: one page
// always holds the same values. It is nil otherwise.
func (a *Array[T]) Shared(i int) any {
	if k := i >> shift; a.list != nil && k < len(a.list.pages) {
		if p := a.list.pages[k]; p != nil && (p.shared || a.list.shared) {
			return p
		}
	}
	return nil
}
