package accept

// Swim is the suite of "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol"
// (Das, Gupta, Motivala, DSN 2002). A quick one takes seconds: it has smaller clusters and less of everything.
func Swim(quick bool) *Suite {
	s := &Suite{}
	s.firstProbe(quick)
	s.firstPeriod(quick)
	s.roundRobin(quick)
	s.load(quick)
	s.spread(quick)
	s.falseSuspicion(quick)
	return s
}
