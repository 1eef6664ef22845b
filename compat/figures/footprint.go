package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// footprint is the cost of building a program of ./footprint with empty caches.
type footprint struct {
	Program     string
	CPUSeconds  float64
	PeakMiB     float64 // of the largest process, a compiler
	BinaryMiB   float64
	DownloadMiB float64 // of modules, zipped
	Packages    int     // compiled, including the standard library's
}

const mebi = 1 << 20

func measureFootprints() ([]footprint, error) {
	var all []footprint
	for _, program := range []string{"nethttp", "client", "official", "client-config", "official-config"} {
		f, err := measureFootprint(program)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", program, err)
		}
		log.Printf("%+v", f)
		all = append(all, f)
	}
	return all, nil
}

func measureFootprint(program string) (f footprint, err error) {
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	env := append(os.Environ(), "GOCACHE="+filepath.Join(dir, "cache"), "GOMODCACHE="+filepath.Join(dir, "modules"), "GOFLAGS=-modcacherw")
	f.Program = program

	// go list downloads the modules, so that the CPU time of the build is only that of
	// compiling and linking.
	list := exec.Command("go", "list", "-deps", "./figures/footprint/"+program)
	list.Env = env
	packages, err := list.Output()
	if err != nil {
		return f, err
	}
	f.Packages = len(bytes.Fields(packages))
	if f.DownloadMiB, err = zippedMiB(filepath.Join(dir, "modules", "cache", "download")); err != nil {
		return f, err
	}

	executable := filepath.Join(dir, program)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", executable, "./figures/footprint/"+program)
	build.Env = env
	if output, err := build.CombinedOutput(); err != nil {
		return f, fmt.Errorf("%w: %s", err, output)
	}
	state := build.ProcessState
	f.CPUSeconds = (state.UserTime() + state.SystemTime()).Seconds()
	f.PeakMiB = float64(state.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	info, err := os.Stat(executable)
	if err != nil {
		return f, err
	}
	f.BinaryMiB = float64(info.Size()) / mebi
	return f, nil
}

func zippedMiB(dir string) (float64, error) {
	var bytes int64
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // nothing was downloaded
		}
		if err != nil || !strings.HasSuffix(path, ".zip") {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return float64(bytes) / mebi, err
}
