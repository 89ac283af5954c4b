//go:build !windows && (!unix || solaris || aix)

package native

import "os"

// lockFile opens a file. These systems have no lock that a crash would release.
func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
