package swim

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/internal/mix"
)

// The values were read off HashiCorp's implementation: its formulas and ours must agree.
func TestScaling(t *testing.T) {
	lan, wan, local := LAN(), WAN(), Local()
	for _, row := range []struct {
		n               int
		lan, wan, local time.Duration // shortest suspicion
		retransmits     int           // × 4
		pushPull        time.Duration
	}{
		{1, 4000, 30000, 3000, 4, 30}, {9, 4000, 30000, 3000, 4, 30}, {10, 4000, 30000, 3000, 8, 30},
		{11, 4164, 31230, 3123, 8, 30}, {32, 6020, 45150, 4515, 8, 30}, {33, 6072, 45540, 4554, 8, 60},
		{64, 7224, 54180, 5418, 8, 60}, {65, 7248, 54360, 5436, 8, 90}, {100, 8000, 60000, 6000, 12, 90},
		{128, 8428, 63210, 6321, 12, 90}, {512, 10836, 81270, 8127, 12, 150}, {999, 11996, 89970, 8997, 12, 180},
		{1000, 12000, 90000, 9000, 16, 180}, {4096, 14448, 108360, 10836, 16, 240}, {10000, 16000, 120000, 12000, 20, 300},
	} {
		for _, c := range []struct {
			config Config
			want   time.Duration
		}{{lan, row.lan}, {wan, row.wan}, {local, row.local}} {
			low, high := c.config.suspicionBounds(row.n)
			require.Equal(t, c.want*time.Millisecond, low, "n=%d", row.n)
			require.Equal(t, 6*low, high, "n=%d", row.n)
		}
		require.Equal(t, row.retransmits, lan.retransmits(row.n), "n=%d", row.n)
		require.Equal(t, row.retransmits/2, local.retransmits(row.n), "n=%d", row.n)
		require.Equal(t, row.pushPull*time.Second, lan.pushPullInterval(row.n), "n=%d", row.n)
		require.Equal(t, 2*row.pushPull*time.Second, wan.pushPullInterval(row.n), "n=%d", row.n)
	}
}

func TestSuspicionShortens(t *testing.T) {
	for _, c := range []struct {
		low, high time.Duration
		want      []time.Duration // after 0, 1, … confirmations
	}{
		{8000, 48000, []time.Duration{48000, 22762, 8000}},
		{12000, 72000, []time.Duration{72000, 34144, 12000}},
		{60000, 360000, []time.Duration{360000, 230797, 155218, 101594, 60000}},
		{3000, 18000, []time.Duration{18000, 3000}},
		{4000, 24000, []time.Duration{4000}}, // nobody to confirm
	} {
		for confirmed, want := range c.want {
			got := suspicionTimeout(c.low*time.Millisecond, c.high*time.Millisecond, confirmed, len(c.want)-1)
			require.Equal(t, want*time.Millisecond, got, "%v: %d confirmations", c.want, confirmed)
		}
	}
}

// Every value up to 2^24, against floating point where that is unambiguous and big integers where not.
func TestMilliLog10IsExact(t *testing.T) {
	limit := 1 << 24
	if testing.Short() {
		limit = 1 << 18
	}
	for n := 1; n <= limit; n++ {
		x := 1000 * math.Log10(float64(n))
		want := int(x)
		if frac := x - math.Floor(x); frac < 1e-7 || frac > 1-1e-7 {
			want = exactMilliLog10(n, want)
		}
		if got := milliLog10(n); got != want {
			t.Fatalf("milliLog10(%d) = %d, want %d", n, got, want)
		}
	}
	require.Zero(t, milliLog10(0))
	require.Zero(t, milliLog10(-1))
}

// exactMilliLog10 is the largest k near guess with 10^k ≤ n^1000.
func exactMilliLog10(n, guess int) int {
	power := new(big.Int).Exp(big.NewInt(int64(n)), big.NewInt(1000), nil)
	for k := guess + 1; ; k-- {
		if new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(k)), nil).Cmp(power) <= 0 {
			return k
		}
	}
}

func TestPermutationVisitsAllOnce(t *testing.T) {
	for n := range 300 {
		for key := range uint64(5) {
			p := newPermutation(mix.Uint64(key), n)
			require.GreaterOrEqual(t, int(p.size()), max(n, 4))
			require.LessOrEqual(t, int(p.size()), max(4*n, 4))
			seen := make([]bool, p.size())
			for i := range p.size() {
				at := p.at(i)
				require.False(t, seen[at], "n=%d key=%d: %d twice", n, key, at)
				seen[at] = true
			}
		}
	}
}

// Over many keys, every place comes first about equally often: no seat is better than another.
func TestPermutationIsFair(t *testing.T) {
	const n, keys = 16, 32000
	var first [n]int
	for key := range uint64(keys) {
		first[newPermutation(mix.Uint64(key), n).at(0)]++
	}
	for seat, times := range first {
		require.InDelta(t, keys/n, times, 200, "seat %d", seat)
	}
}
