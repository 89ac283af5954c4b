package journal

// A Dir is the directory that a journal lives in, and nobody else writes to. Names are plain names of files.
//
// What was written to a file is durable once Sync says so, and what was created, renamed or removed once
// SyncDir does. Until then a crash may keep any of it, in any order, and any part of a write.
type Dir interface {
	// List returns the names of all files.
	List() ([]string, error)
	// Read returns the whole of a file. With an error, what it returns means nothing.
	Read(name string) ([]byte, error)
	// Create makes an empty file, also of one that exists.
	Create(name string) error
	// Append writes at the end of a file. After an error, any part of b may be there.
	Append(name string, b []byte) error
	// Truncate cuts a file to its first size bytes.
	Truncate(name string, size int64) error
	// Sync makes what a file holds durable. After an error, what was not durable may be gone.
	Sync(name string) error
	// Rename gives a file another name, in the place of whatever had that.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// SyncDir makes the names of all files durable.
	SyncDir() error
}
