// Command figures measures this client and the official one, and writes the tables and the chart of
// docs/performance.md. Run it in compat/, on an idle machine:
//
//	go run ./figures              # measures, about 20 minutes
//	go run ./figures -only calls  # one part: footprints, distance, clients or calls
//	go run ./figures -draw        # writes tables and chart from the last figures
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

// figures are all measurements, as figuresFile has them.
type figures struct {
	Date, Go, Machine string
	Distance          []benchmark // callers at a distance
	ManyClients       []benchmark
	Footprints        []footprint
	Calls             []benchmark
}

func main() {
	log.SetFlags(0)
	draw := flag.Bool("draw", false, "do not measure")
	only := flag.String("only", "", "measure only this `part`: footprints, distance, clients or calls")
	flag.Parse()
	if err := run(*draw, *only); err != nil {
		log.Fatal(err)
	}
}

func run(draw bool, only string) error {
	var f figures
	if encoded, err := os.ReadFile(figuresFile); err != nil {
		return err
	} else if err := json.Unmarshal(encoded, &f); err != nil {
		return err
	}
	if !draw {
		if err := measureAll(&f, only); err != nil {
			return err
		}
	}
	if err := writeTables(f); err != nil {
		return err
	}
	return writeChart(f)
}

// measureAll measures each part, or only one, and writes figuresFile.
func measureAll(f *figures, only string) (err error) {
	f.Date, f.Go = time.Now().UTC().Format(time.DateOnly), runtime.Version()
	f.Machine = fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, part := range []struct {
		name    string
		measure func()
	}{
		{"footprints", func() { f.Footprints, err = measureFootprints() }},
		{"distance", func() { f.Distance, err = measure("Distance", "1x", situationRuns) }},
		{"clients", func() { f.ManyClients, err = measure("ManyClients", "1x", situationRuns) }},
		{"calls", func() { f.Calls, err = measure(callBenchmarks, "0.2s", callRuns) }},
	} {
		if only != "" && only != part.name {
			continue
		}
		log.Print(part.name)
		if part.measure(); err != nil {
			return err
		}
	}
	encoded, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(figuresFile, append(encoded, '\n'), 0o644)
}
