//go:build !race

package pay_test

// raceRounds is how often each race is run unless roundsVariable says otherwise: few
// enough for everybody's run of all tests.
const raceRounds = 12

// callStride is 1: the 500 test fails each call of each flow.
const callStride = 1
