package main

import (
	"errors"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// asProgram makes the test binary be the program, so that tests can run processes of it.
const asProgram = "NEKTON_TEST_AS_PROGRAM"

// fuzzes reports whether this process fuzzes for another, from which it has its environment.
func fuzzes() bool { return slices.Contains(os.Args, "-test.fuzzworker") }

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" && !fuzzes() {
		main()
		return
	}
	cache, err := os.MkdirTemp("", "nekton")
	if err == nil {
		// Compiled guests are not for the next time, and processes of ours are the program.
		err = errors.Join(os.Setenv("XDG_CACHE_HOME", cache), os.Setenv(asProgram, "1"))
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(cache)
		os.Exit(code)
	}))
}
