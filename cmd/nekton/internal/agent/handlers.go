package agent

import (
	"context"
	"net/http"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/runtime"
)

func (a *Agent) members(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Members{a.wall.members(a.cluster.Members())})
}

func (a *Agent) health(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-a.cluster.Done():
		answer(w, http.StatusServiceUnavailable, Health{"closed"})
	default:
		if a.leaving.Load() {
			answer(w, http.StatusServiceUnavailable, Health{"leaving"})
			return
		}
		answer(w, http.StatusOK, Health{"running"})
	}
}

func (a *Agent) info(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerPatience)
	defer cancel()
	info, err := a.cluster.Info(ctx)
	if err != nil {
		fail(w, err)
		return
	}
	refused, err := a.cluster.Counts(ctx)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, Info{
		Name: info.Name, Addr: a.cluster.Self().Addr, Incarnation: info.Incarnation, Health: info.Health,
		Members: info.Members, Dead: info.Dead, Left: info.Left, Broadcasts: info.Broadcasts,
		Leaving: a.leaving.Load() || info.Leaving, Counters: counters(&info.Counters), Refused: refused,
		Version: a.config.Version, Started: a.started.UTC(),
	})
}

func counters(c *swim.Counters) map[string]uint64 {
	return map[string]uint64{
		"probes": c.Probes, "probes_failed": c.ProbesFailed,
		"indirect_acks": c.IndirectAcks, "stream_acks": c.StreamAcks,
		"relays": c.Relays, "relays_refused": c.RelaysRefused,
		"suspicions": c.Suspicions, "refutations": c.Refutations, "failures": c.Failures,
		"push_pulls": c.PushPulls, "push_pulls_failed": c.PushPullsFailed, "heals": c.Heals,
		"conflicts": c.Conflicts, "refused": c.Refused, "invalid": c.Invalid,
		"broadcasts_dropped": c.BroadcastsDropped, "members_dropped": c.MembersDropped,
	}
}

func (a *Agent) postJoin(ctx context.Context, q Join) (Joined, error) {
	for _, seed := range q.Seeds {
		if err := CheckSeed(seed); err != nil {
			return Joined{}, invalid(err.Error())
		}
	}
	reached, err := a.cluster.Join(ctx, q.Seeds...)
	return Joined{reached}, err
}

// postLeave says goodbye and then lets Serve end, which waits until the answer has been taken.
func (a *Agent) postLeave(ctx context.Context, _ struct{}) (struct{}, error) {
	if !a.leaving.CompareAndSwap(false, true) {
		return struct{}{}, &runtime.CommandError{Fault: core.FaultRefused, Detail: "the agent is leaving already"}
	}
	defer close(a.left)
	a.log.Info("agent leaves, as the API was told to")
	return struct{}{}, a.leave(context.WithoutCancel(ctx)) // a goodbye cannot be taken back
}

func (a *Agent) postMeta(ctx context.Context, q Meta) (struct{}, error) {
	return struct{}{}, a.cluster.SetMeta(ctx, q.Meta)
}

func (a *Agent) postPing(ctx context.Context, q Ping) (Pong, error) {
	rtt, err := a.cluster.Ping(ctx, q.Name)
	return Pong{rtt.Microseconds()}, err
}

func (a *Agent) postSend(ctx context.Context, q Send) (struct{}, error) {
	return struct{}{}, a.cluster.Send(ctx, q.To, q.Data, q.Reliable)
}

func invalid(detail string) error {
	return &runtime.CommandError{Fault: core.FaultInvalid, Detail: detail}
}
