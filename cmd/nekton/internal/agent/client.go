package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"time"
)

const (
	requestPatience = 30 * time.Second // for an answer; longer than answerPatience
	answerMax       = 64 << 20         // bytes of an answer: 65,536 members with full metadata fit
)

// A Client talks to the API of one agent.
type Client struct {
	addr string
	http *http.Client
}

// NewClient returns a client of the agent whose API listens on addr, a loopback "ip:port".
func NewClient(addr string) (*Client, error) {
	if err := checkLoopback(addr); err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &Client{addr, &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}}, nil // no proxy
}

// Get asks for path and decodes the answer.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// Post sends body to path and decodes the answer.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	return c.do(ctx, http.MethodPost, path, body, into)
}

// Events ranges over what happens, beginning with a snapshot, until ctx or the agent ends.
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		body, err := c.send(ctx, http.MethodGet, "/v1/events", nil)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer body.Close()
		for lines := json.NewDecoder(body); ; {
			var e Event
			if err := lines.Decode(&e); err != nil {
				if ctx.Err() == nil {
					yield(Event{}, fmt.Errorf("the agent at %s hung up", c.addr))
				}
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestPatience)
	defer cancel()
	answer, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(io.LimitReader(answer, answerMax)).Decode(into); err != nil {
		return fmt.Errorf("agent at %s: %w", c.addr, err)
	}
	return nil
}

// send returns the body of a good answer.
func (c *Client) send(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, &text)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(r)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, fmt.Errorf("no agent answers at %s; start one (nekton agent) or say where it is (-http)", c.addr)
	case err != nil:
		return nil, fmt.Errorf("agent at %s: %w", c.addr, err)
	case answer.StatusCode < 300:
		return answer.Body, nil
	}
	defer answer.Body.Close()
	var failure Failure
	if json.NewDecoder(io.LimitReader(answer.Body, answerMax)).Decode(&failure) != nil || failure.Error == "" {
		return nil, fmt.Errorf("%s answers %s: is that a nekton agent?", c.addr, answer.Status)
	}
	return nil, errors.New(failure.Error)
}
