package golden

import "strings"

// diff shows the lines of want and got along a longest common subsequence, or nothing if they are equal.
// Its cost is the product of their lengths: outputs are what a person reads.
func diff(want, got []string) string {
	common := make([][]int, len(want)+1) // [i][j]: length of the best match of want[i:] with got[j:]
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			if want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	if common[0][0] == len(want) && len(want) == len(got) {
		return ""
	}
	var b strings.Builder
	line := func(mark, text string) { b.WriteString("\t" + mark + " " + text + "\n") }
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			line(" ", want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			line("-", want[i])
			i++
		default:
			line("+", got[j])
			j++
		}
	}
	return b.String()
}
