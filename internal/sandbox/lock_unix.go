//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// fileLock is an advisory lock that the system frees when the process ends, however it ends (flock(2)).
type fileLock struct{ f *os.File }

var errLocked = errors.New("the file is in use")

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return &fileLock{f}, nil
}

// release leaves the file where it is: removing it would let two processes lock
// two different files of the same name.
func (l *fileLock) release() error { return l.f.Close() }
