package agent

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// checkLoopback refuses an API address that other machines, or a name that others control, could reach:
// the API has no authentication, so whoever reaches it owns the member.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("http address %q: want ip:port, such as 127.0.0.1:7947", addr)
	}
	if !isLoopback(host) {
		return fmt.Errorf("http address %q: the API is unauthenticated and so serves the loopback interface only; "+
			"use 127.0.0.1 or [::1], and a tunnel from elsewhere", addr)
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// sameSite lets only those requests through that no web page elsewhere can have caused. A browser on this
// machine reaches the loopback interface for any page it shows, either directly, which Origin and
// Sec-Fetch-Site give away, or by way of a DNS name of the page's own, which Host gives away.
func sameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := foreign(r); why != nil {
			answer(w, http.StatusForbidden, Failure{why.Error()})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func foreign(r *http.Request) error {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !isLoopback(strings.Trim(host, "[]")) {
		return fmt.Errorf("host %q is not the loopback interface", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return fmt.Errorf("origin %q is not this agent", origin)
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
		return nil
	default:
		return errors.New("requests from other sites are refused")
	}
}
