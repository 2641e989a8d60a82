//go:build !race

package pay_test

// raceRounds is how often each race is run unless roundsVariable says otherwise: few
// enough for everybody's run of all tests.
const raceRounds = 12
