//go:build linux || darwin

package doctor

import "syscall"

// Disk says how many bytes of the directory's file system are free for us, and of how
// many (statvfs(3): f_bavail is what an ordinary user can have).
func Disk(dir string) (free, of uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	size := uint64(s.Bsize)
	return s.Bavail * size, s.Blocks * size, nil
}
