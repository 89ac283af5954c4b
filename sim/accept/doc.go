// Package accept holds the acceptance suites: figures that the papers on SWIM and Lifeguard, or arithmetic,
// say a cluster must show, measured in the simulator.
//
//	suite := accept.Swim(false)
//	for _, run := range suite.Runs {
//		err = errors.Join(err, run.Make()) // in any order, or at the same time
//	}
//	report := suite.Report()
//
// Seeds are fixed, so a suite measures the same figures whenever and wherever it runs, and a gate passes or
// does not. The members run as they would in production, on the simulated network of package sim, from a
// start at which all know each other.
package accept
