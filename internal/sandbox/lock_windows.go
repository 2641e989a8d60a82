package sandbox

import (
	"errors"
	"syscall"
)

// fileLock is a handle that nobody else may open as long as we have it; Windows
// closes it when the process ends, however it ends.
type fileLock struct{ h syscall.Handle }

var errLocked = errors.New("the file is in use")

const errorSharingViolation syscall.Errno = 32

func lockFile(path string) (*fileLock, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errorSharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return &fileLock{h}, nil
}

func (l *fileLock) release() error { return syscall.CloseHandle(l.h) }
