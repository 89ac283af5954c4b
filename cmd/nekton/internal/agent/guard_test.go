package agent

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "127.1.2.3:80", "[::1]:80", "localhost:80", "[::ffff:127.0.0.1]:80"} {
		require.NoError(t, checkLoopback(addr), addr)
	}
	for _, addr := range []string{"", "80", ":80", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "localhost.example.org:80"} {
		require.Error(t, checkLoopback(addr), addr)
	}
}

// TestSameSite plays a browser on this machine that shows a page of somebody else's.
func TestSameSite(t *testing.T) {
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	tests := []struct {
		name   string
		host   string
		header map[string]string
		want   int
	}{
		{"curl", "127.0.0.1:7947", nil, 200},
		{"curl, IPv6", "[::1]:7947", nil, 200},
		{"curl by name", "localhost:7947", nil, 200},
		{"default port", "localhost", nil, 200},
		{"typed into a browser", "127.0.0.1:7947", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"page of the agent itself", "127.0.0.1:7947", map[string]string{
			"Origin": "http://127.0.0.1:7947", "Sec-Fetch-Site": "same-origin",
		}, 200},
		{"DNS name rebound to this machine", "evil.example:7947", nil, 403},
		{"name that begins like ours", "localhost.evil.example:7947", nil, 403},
		{"no host", "", nil, 403},
		{"another machine's address", "10.0.0.1:7947", nil, 403},
		{"form on a page", "127.0.0.1:7947", map[string]string{"Origin": "http://evil.example"}, 403},
		{"sandboxed page", "127.0.0.1:7947", map[string]string{"Origin": "null"}, 403},
		{"another port of this machine", "127.0.0.1:7947", map[string]string{"Origin": "http://127.0.0.1:80"}, 403},
		{"image on a page", "127.0.0.1:7947", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"page of another port", "127.0.0.1:7947", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
	}
	for _, test := range tests {
		r := httptest.NewRequest(http.MethodPost, "/v1/leave", nil)
		r.Host = test.host
		for k, v := range test.header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		sameSite(reached).ServeHTTP(w, r)
		require.Equal(t, test.want, w.Code, test.name)
	}
}
