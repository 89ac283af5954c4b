// Package mix scrambles numbers, the same way everywhere.
package mix

// Uint64 is the splitmix64 finaliser: a bijection in which every bit of x moves every bit of the result.
func Uint64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
