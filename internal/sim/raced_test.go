//go:build race

package sim

// defaultSeeds is fewer under the race detector, which makes a schedule ten times
// dearer: CI runs two thousand without it.
const defaultSeeds = 40
