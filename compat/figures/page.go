package main

import (
	"fmt"
	"os"
	"strings"
)

// writeTables replaces the tables between the page's markers.
func writeTables(f figures) error {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	const begin, end = "<!-- figures: written by go run ./figures -->\n", "<!-- end of figures -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no markers", pageFile)
	}
	return os.WriteFile(pageFile, []byte(before+begin+tables(f)+end+after), 0o644)
}

// tables returns the tables of the page. They leave out situations that are like others;
// figuresFile has all.
func tables(f figures) string {
	var text strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&text, format, args...) }
	p("\nMeasured on %s with %s on %s. Each figure is a median of runs\nof both clients, one after the other: %d of calls, %d of the others.\n",
		f.Date, f.Go, f.Machine, callRuns, situationRuns)

	p("\n### Callers at a distance\n\n")
	p("Median and 95th percentile of a call in milliseconds; connections opened.\n\n")
	p("| | official | | | ours | | |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, b := range f.Distance {
		name, _ := strings.CutPrefix(b.Name, "Distance/")
		if name == "10 callers" {
			continue // like 1 and 32
		}
		p("| %s |", name)
		for _, of := range []map[string]float64{b.Official, b.Ours} {
			p(" %.1f | %.1f | %.0f |", of["p50-ms"], of["p95-ms"], of["connections"])
		}
		p("\n")
	}

	p("\n### Many clients of one config\n\n")
	p("Connections, and KiB of memory, after one call of each.\n\n")
	p("| | official | | ours | |\n|---|--:|--:|--:|--:|\n")
	for _, b := range f.ManyClients {
		_, name, _ := strings.Cut(b.Name, "/")
		mode, clients, _ := strings.Cut(name, "/")
		if mode != "legacy" && mode != "standard" || clients == "10 clients" || name == "legacy/a client for each of 100 calls" {
			continue // the other modes are like standard
		}
		p("| %s, %s |", mode, clients)
		for _, of := range []map[string]float64{b.Official, b.Ours} {
			p(" %.0f | %.0f |", of["connections"], of["KiB"])
		}
		p("\n")
	}

	p("\n### Building from nothing\n\n")
	p("| program | CPU seconds | memory, MiB | binary, MiB | packages |\n|---|--:|--:|--:|--:|\n")
	for _, fp := range f.Footprints {
		p("| `%s` | %.1f | %.0f | %.2f | %d |\n", fp.Program, fp.CPUSeconds, fp.PeakMiB, fp.BinaryMiB, fp.Packages)
	}

	p("\n### A call\n\nMicroseconds, and allocations.\n\n")
	p("| | official | ours | times less | official | ours |\n|---|--:|--:|--:|--:|--:|\n")
	for _, b := range f.Calls {
		switch b.Name {
		case "APIOptions/none", "APIOptions/user agent and header", "Parallel/1", "Parallel/8", "Parallel/256", "ReplySize/1 KiB", "ReplySize/32 KiB":
			continue // like their neighbours
		}
		p("| %s | %.1f | %.1f | %.1f | %.0f | %.0f |\n", b.Name, 1e6*b.Official["sec/op"], 1e6*b.Ours["sec/op"], b.TimesLessTime,
			b.Official["allocs/op"], b.Ours["allocs/op"])
	}

	p("\n")
	return text.String()
}

func duration(seconds float64) string {
	switch {
	case seconds < 1e-6:
		return fmt.Sprintf("%.0f ns", seconds*1e9)
	case seconds < 1e-3:
		return fmt.Sprintf("%.1f µs", seconds*1e6)
	}
	return fmt.Sprintf("%.1f ms", seconds*1e3)
}
