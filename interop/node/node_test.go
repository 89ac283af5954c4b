// Package node runs the guest under Node.js, which shares no code with wazero.
package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheGuestAnswersAPing needs node 20 or later, and the guest that make build writes.
func TestTheGuestAnswersAPing(t *testing.T) {
	guest := filepath.Join("..", "..", "bin", "nekton.wasm")
	if _, err := os.Stat(guest); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	out, err := exec.Command("node", "--no-warnings", "ping.mjs", guest).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "ping 7 answered by ack 7 to 10.0.0.1:7946") {
		t.Fatalf("node said: %s", out)
	}
	t.Logf("%s", out)
}
