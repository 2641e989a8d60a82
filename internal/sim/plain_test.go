//go:build !race

package sim

// defaultSeeds is how many schedules a plain run of the tests has; make sim has more.
const defaultSeeds = 200
