package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/docs"
	"github.com/nekton-go/nekton/runtime"
)

const (
	bodyMax        = 2 << 20          // bytes of a request; a message of 1 MiB fits, in base64
	answerPatience = 20 * time.Second // for the node to complete a command
)

// A route is one thing the API does.
type route struct {
	pattern string // as for http.ServeMux
	serve   http.HandlerFunc
}

// table lists every route. docs/openapi.yaml lists the same.
func (a *Agent) table() []route {
	return []route{
		{"GET /v1/members", a.members},
		{"GET /v1/info", a.info},
		{"GET /v1/health", a.health},
		{"GET /v1/events", a.events},
		{"GET /v1/keys", command(a, func(ctx context.Context, _ struct{}) (Keys, error) { return a.keys.list(ctx) })},
		{"GET /v1/openapi.yaml", openAPI},
		{"POST /v1/join", command(a, a.postJoin)},
		{"POST /v1/leave", command(a, a.postLeave)},
		{"POST /v1/meta", command(a, a.postMeta)},
		{"POST /v1/ping", command(a, a.postPing)},
		{"POST /v1/send", command(a, a.postSend)},
		{"POST /v1/keys/install", command(a, func(ctx context.Context, k NewKey) (Keys, error) {
			return a.keys.install(ctx, k.Key)
		})},
		{"POST /v1/keys/use", command(a, func(ctx context.Context, k KeyID) (Keys, error) {
			return a.keys.use(ctx, k.ID)
		})},
		{"POST /v1/keys/remove", command(a, func(ctx context.Context, k KeyID) (Keys, error) {
			return a.keys.remove(ctx, k.ID)
		})},
	}
}

func (a *Agent) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.table() {
		mux.HandleFunc(r.pattern, r.serve)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, Failure{"no such path or method; see /v1/openapi.yaml"})
	})
	return mux
}

func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	io.WriteString(w, docs.OpenAPI)
}

// command serves a request whose body is a Q with an answer that is an R. Requests without a body, those
// with GET, get the zero Q.
func command[Q, R any](a *Agent, do func(context.Context, Q) (R, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if r.Method == http.MethodPost {
			if status, err := readBody(w, r, &q); err != nil {
				answer(w, status, Failure{err.Error()})
				return
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerPatience)
		defer cancel()
		out, err := do(ctx, q)
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, out)
	}
}

// readBody reads exactly one JSON object without unknown fields. The type must be declared, which web
// pages of others cannot do.
func readBody(w http.ResponseWriter, r *http.Request, into any) (status int, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		return http.StatusUnsupportedMediaType, errors.New("send the header Content-Type: application/json")
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax))
	body.DisallowUnknownFields()
	err = body.Decode(into)
	if err == nil && body.More() {
		err = errors.New("more than one JSON value")
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, err
	case errors.Is(err, io.EOF):
		return http.StatusBadRequest, errors.New("the body is empty; send a JSON object")
	}
	return http.StatusBadRequest, err
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // an error means that the client is gone
}

// fail answers with what went wrong.
func fail(w http.ResponseWriter, err error) { answer(w, statusOf(err), Failure{plain(err)}) }

// plain is what went wrong without the names of Go types.
func plain(err error) string {
	var command *runtime.CommandError
	switch {
	case !errors.As(err, &command):
		return err.Error()
	case command.Detail == "":
		return command.Fault.String()
	}
	return command.Fault.String() + ": " + command.Detail
}

func statusOf(err error) int {
	var fault core.Fault
	switch {
	case errors.Is(err, errNoKeys):
		return http.StatusConflict
	case errors.Is(err, runtime.ErrClosed):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case !errors.As(err, &fault):
		return http.StatusInternalServerError
	}
	switch fault {
	case core.FaultInvalid:
		return http.StatusBadRequest
	case core.FaultNotFound:
		return http.StatusNotFound
	case core.FaultRefused:
		return http.StatusConflict
	case core.FaultTooLarge:
		return http.StatusRequestEntityTooLarge
	case core.FaultBusy, core.FaultClosed:
		return http.StatusServiceUnavailable
	case core.FaultTimeout:
		return http.StatusGatewayTimeout
	case core.FaultUnreachable:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}
