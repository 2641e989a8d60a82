//go:build !linux && !darwin

package doctor

import "errors"

// Disk is not known on this system.
func Disk(string) (free, of uint64, err error) { return 0, 0, errors.ErrUnsupported }
