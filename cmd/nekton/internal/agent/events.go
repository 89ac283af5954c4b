package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/runtime"
)

// eventPatience is how long a reader of events may take none before the agent hangs up.
const eventPatience = 10 * time.Second

// events answers with a snapshot and then one line per event, until the client hangs up or the agent ends.
func (a *Agent) events(w http.ResponseWriter, r *http.Request) {
	sub := a.cluster.Subscribe()
	defer sub.Close()
	out, lines := http.NewResponseController(w), json.NewEncoder(w)
	out.SetReadDeadline(time.Time{}) // or a client that hangs up late would go unnoticed
	answered := false
	for d, err := range sub.Deltas(r.Context()) {
		if err != nil && !answered {
			fail(w, err)
		}
		if err != nil {
			return
		}
		if !answered {
			w.Header().Set("Content-Type", "application/jsonl")
			answered = true
		}
		// A reader that is stuck must not hold the agent. Errors mean that it is gone.
		if out.SetWriteDeadline(time.Now().Add(eventPatience)) != nil ||
			lines.Encode(a.wall.event(d)) != nil || out.Flush() != nil {
			return
		}
	}
}

// event puts one delta into the words of the API.
func (w wall) event(d runtime.Delta) Event {
	out := Event{Seq: d.Seq}
	if d.Event == nil {
		out.Kind, out.Members, out.Missed = "snapshot", w.members(d.Members), d.Missed
		return out
	}
	text, _ := d.Event.AppendText(nil)
	out.Text = string(text)
	about := func(kind string, m swim.Member) {
		member := w.member(m)
		out.Kind, out.Member = kind, &member
	}
	switch e := d.Event.(type) {
	case *swim.Ready:
		about("ready", e.Self)
	case *swim.Joined:
		about("joined", e.Member)
	case *swim.Updated:
		about("updated", e.Member)
	case *swim.Suspected:
		about("suspected", e.Member)
	case *swim.Refuted:
		about("refuted", e.Member)
	case *swim.Failed:
		about("failed", e.Member)
		out.Evidence = w.evidence(&e.Evidence)
	case *swim.Departed:
		about("departed", e.Member)
	case *swim.Reaped:
		out.Kind, out.Name = "reaped", e.Name
	case *swim.Conflict:
		out.Kind, out.Name = "conflict", e.Name
	case *swim.HealthChanged:
		out.Kind = "health"
	case *swim.UserReceived:
		out.Kind, out.From, out.Data = "message", e.From, e.Data
	case *swim.UserStateReceived:
		out.Kind, out.From, out.Data = "user_state", e.From, e.Data
	default:
		out.Kind = "other"
	}
	return out
}

func (w wall) evidence(e *swim.Evidence) *Evidence {
	out := &Evidence{
		Accuser: e.Accuser, Suspects: e.Suspects, Suspected: w.optional(e.Suspected),
		TimeoutMS: e.Timeout.Milliseconds(), ProbeSent: w.optional(e.ProbeSent),
		Helpers: e.Helpers, Nacks: e.Nacks, Health: e.Health,
	}
	if e.StreamPing != core.FaultNone {
		out.StreamPing = e.StreamPing.String()
	}
	if out.Suspects == nil {
		out.Suspects = []string{}
	}
	if out.Helpers == nil {
		out.Helpers = []string{}
	}
	return out
}
