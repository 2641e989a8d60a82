//go:build race

package pay_test

// raceRounds is how often each race is run: the race detector makes each round about
// ten times dearer, and sees in one what plain runs meet in many.
const raceRounds = 5

// callStride leaves calls out: what fails each of them looks for wrong ends, not for
// races, and CI runs all of it without the detector.
const callStride = 7
