package year_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// watchMemory looks often at how much memory the process has, until stop, which
// returns the most that the Go heap had and, on Linux, the most that was resident.
// SQLite's own memory is not on the heap: only the second shows it.
func watchMemory() (stop func() (heap, resident uint64)) {
	runtime.GC()
	var heap, resident uint64
	look := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap, resident = max(heap, m.HeapAlloc), max(resident, residentBytes())
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			look()
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() (uint64, uint64) {
		close(done)
		group.Wait()
		look()
		return heap, resident
	}
}

// residentBytes is what proc_pid_statm(5) calls resident, 0 where there is no such file.
func residentBytes() uint64 {
	raw, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// cpuSeconds is how long the process was on a processor, proc_pid_stat(5), whose unit is
// a hundredth of a second; 0 where there is no such file. On a busy machine it says more
// than the time by the clock; the work of a database server is not in it.
func cpuSeconds() float64 {
	raw, _ := os.ReadFile("/proc/self/stat")
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}
