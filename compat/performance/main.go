// Command performance measures this client beside the official one, and writes docs/performance.md's tables and its chart.
// Run it in compat/, on a machine that does nothing else:
//
//	go run ./performance        # measures, about 15 minutes
//	go run ./performance -draw  # writes tables and chart anew from the last figures
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"time"
)

const (
	figuresFile = "../docs/performance.json"
	pageFile    = "../docs/performance.md"
	chartFile   = "../docs/performance.svg"
)

// figures are all that is measured, as they are kept in figuresFile.
type figures struct {
	Date, Go, Machine string
	Benchmarks        []benchmark
	Connections       []connections
	Footprints        []footprint
}

func main() {
	log.SetFlags(0)
	draw := flag.Bool("draw", false, "do not measure")
	flag.Parse()
	if err := run(*draw); err != nil {
		log.Fatal(err)
	}
}

func run(draw bool) error {
	if !draw {
		if err := measureAll(); err != nil {
			return err
		}
	}
	encoded, err := os.ReadFile(figuresFile)
	if err != nil {
		return err
	}
	var f figures
	if err := json.Unmarshal(encoded, &f); err != nil {
		return err
	}
	if err := writeTables(f); err != nil {
		return err
	}
	return writeChart(f)
}

func measureAll() error {
	f := figures{
		Date: time.Now().UTC().Format(time.DateOnly), Go: runtime.Version(),
		Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
	}
	var err error
	log.Print("footprints")
	if f.Footprints, err = measureFootprints(); err != nil {
		return err
	}
	log.Print("benchmarks")
	if f.Benchmarks, err = measureBenchmarks(); err != nil {
		return err
	}
	log.Print("connections")
	if f.Connections, err = measureConnections(); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(figuresFile, append(encoded, '\n'), 0o644)
}
