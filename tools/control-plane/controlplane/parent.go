package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// dieWithParent ends this process, as by SIGKILL, once the process that
// CONTROLPLANE_PARENT names is gone. Its value is "PID STARTTIME", so that a
// reused PID is not taken for it. The kernel's own parent-death signal does not
// serve: the direct parent is the script that started this, which ends at once.
func dieWithParent() {
	var pid int
	var started string
	value := os.Getenv("CONTROLPLANE_PARENT")
	if value == "" {
		return
	}
	if _, err := fmt.Sscan(value, &pid, &started); err != nil {
		fmt.Fprintf(os.Stderr, "controlplane: CONTROLPLANE_PARENT is %q; it should be PID STARTTIME\n", value)
		os.Exit(2)
	}
	go func() {
		for startTime(pid) == started {
			time.Sleep(250 * time.Millisecond)
		}
		// Not os.Exit: a data directory is whole after a kill, and nothing may delay it.
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
}

// startTime is field 22 of /proc/PID/stat; "" for a process that is gone, or
// dead and not yet reaped.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, field 2, is in parentheses and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}
