package sim

import (
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
)

// burstBlock is how many bursts there are, on average, before the memory of a path is cut.
const burstBlock = 8

// weatherKept is of how many paths the state is kept: all, in a small cluster.
const weatherKept = 256

// burst is the model of Gilbert and Elliott in continuous time: a path is good and bad in turns, for
// exponentially distributed times, Every from one burst to the next and Extra in a burst on average, and loses
// PPM of its packets while it is bad.
//
// In which state a path is follows from the time and the seed alone, so that there is nothing to remember: time
// is cut into blocks, each of which begins in a state that is drawn by how much of the time paths are in it. What
// was found for the last packet of a path only saves going through its block again.
func (r *rule) burst(now core.Instant, p *path) {
	good, bad := r.Every-r.Extra, r.Extra
	length := burstBlock * r.Every
	since := now.Sub(core.Instant(r.At))
	if r.weather == nil {
		r.weather = make([]weather, weatherKept)
	}
	w := &r.weather[uint(p.from*31+p.to)%uint(len(r.weather))]
	block := since / length
	if !w.known || w.from != p.from || w.to != p.to || w.block != block || since < w.since {
		random := draw(p.seed^r.salt, forWeather, uint64(p.from), uint64(p.to), uint64(block))
		burst := below(random, int64(r.Every)) < int64(r.Extra)
		start := block * length
		*w = weather{
			known: true, from: p.from, to: p.to, block: block,
			since: start, until: start, random: random, burst: !burst,
		}
	}
	for w.until <= since {
		w.burst = !w.burst
		mean := good
		if w.burst {
			mean = bad
		}
		w.random = mix.Uint64(w.random + 1)
		w.since, w.until = w.until, w.until+sample(exponential, mean, w.random)
	}
	if w.burst {
		p.burst = either(p.burst, r.PPM)
	}
}

// weather is the state that a path is in from one time to another, for the packets that come next.
type weather struct {
	known        bool
	burst        bool
	from, to     int
	block        time.Duration // the how manieth
	since, until time.Duration // since the rule began
	random       uint64
}
