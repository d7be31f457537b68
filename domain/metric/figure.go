package metric

// Parts says which of its fields a figure has.
type Parts uint8

// The parts of a figure.
const (
	HasSum Parts = 1 << iota
	HasMean
	HasPercentiles
	HasMax
	HasShare
	HasDistribution
)

// Figure is what is published of a set of samples. A nil field that Has names is null: no sample is not zero. Durations
// are in seconds.
type Figure struct {
	N             int
	Has           Parts
	Sum, Mean     *float64
	P50, P90, P95 *float64
	Max           *float64
	Share         *float64 // of scores of 4 and 5
	Distribution  [5]int   // how many scores of 1, 2, 3, 4, 5
}
