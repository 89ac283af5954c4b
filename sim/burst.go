package sim

import (
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
)

// burstBlock is how many bursts there are, on average, before the memory of a path is cut.
const burstBlock = 8

// burst is the model of Gilbert and Elliott in continuous time: a path is good and bad in turns, for
// exponentially distributed times, Every from one burst to the next and Extra in a burst on average, and loses
// PPM of its packets while it is bad.
//
// In which state a path is follows from the time and the seed alone, so that there is nothing to remember: time
// is cut into blocks, each of which begins in a state that is drawn by how much of the time paths are in it.
func (r *rule) burst(now core.Instant, p *path) {
	good, bad := r.Every-r.Extra, r.Extra
	length := burstBlock * r.Every
	since := now.Sub(core.Instant(r.At))
	block, left := uint64(since/length), since%length
	random := draw(p.seed^r.salt, forWeather, uint64(p.from), uint64(p.to), block)
	burst := below(random, int64(r.Every)) < int64(r.Extra)
	for {
		mean := good
		if burst {
			mean = bad
		}
		random = mix.Uint64(random + 1)
		if left -= sample(exponential, mean, random); left < 0 {
			break
		}
		burst = !burst
	}
	if burst {
		p.burst = either(p.burst, r.PPM)
	}
}
