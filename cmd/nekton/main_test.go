package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asProgram makes the test binary be the program, so that tests can run processes of it.
const asProgram = "NEKTON_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	cache, err := os.MkdirTemp("", "nekton")
	if err == nil {
		err = os.Setenv("XDG_CACHE_HOME", cache) // compiled guests are not for the next time
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(cache)
		os.Exit(code)
	}))
}
