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

func tables(f figures) string {
	var text strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&text, format, args...) }
	p("\nMeasured on %s with %s on %s. Each figure is a median of runs of\nboth clients, one after the other: %d of calls, %d of the others.\n",
		f.Date, f.Go, f.Machine, callRuns, situationRuns)

	p("\n### Callers at a distance\n\n| | median | 95th percentile | connections | median | 95th percentile | connections |\n|---|--:|--:|--:|--:|--:|--:|\n")
	p("| | **official** | | | **ours** | | |\n")
	for _, b := range f.Distance {
		name, _ := strings.CutPrefix(b.Name, "Distance/")
		p("| %s |", name)
		for _, of := range []map[string]float64{b.Official, b.Ours} {
			p(" %.1f ms | %.1f ms | %.0f |", of["p50-ms"], of["p95-ms"], of["connections"])
		}
		p("\n")
	}

	p("\n### Many clients of one config\n\n| | connections | goroutines | KiB | connections | goroutines | KiB |\n|---|--:|--:|--:|--:|--:|--:|\n")
	p("| | **official** | | | **ours** | | |\n")
	for _, b := range f.ManyClients {
		_, name, _ := strings.Cut(b.Name, "/")
		mode, clients, _ := strings.Cut(name, "/")
		if mode != "legacy" && mode != "standard" {
			continue // as standard
		}
		p("| %s mode, %s |", mode, clients)
		for _, of := range []map[string]float64{b.Official, b.Ours} {
			p(" %.0f | %.0f | %.0f |", of["connections"], of["goroutines"], of["KiB"])
		}
		p("\n")
	}

	p("\n### Building from nothing\n\n| program | CPU seconds | peak memory, MiB | binary, MiB | modules downloaded, MiB | packages |\n|---|--:|--:|--:|--:|--:|\n")
	for _, fp := range f.Footprints {
		p("| `footprint/%s` | %.1f | %.0f | %.2f | %.1f | %d |\n", fp.Program, fp.CPUSeconds, fp.PeakMiB, fp.BinaryMiB, fp.DownloadMiB, fp.Packages)
	}

	p("\n### Time and memory of a call\n\n| | official | ours | times less time | allocations | ours | times fewer | bytes | ours |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, b := range f.Calls {
		p("| %s | %s | %s | %.1f | %.0f | %.0f | %.1f | %.0f | %.0f |\n", b.Name, duration(b.Official["sec/op"]), duration(b.Ours["sec/op"]), b.TimesLessTime,
			b.Official["allocs/op"], b.Ours["allocs/op"], b.Official["allocs/op"]/b.Ours["allocs/op"], b.Official["B/op"], b.Ours["B/op"])
	}

	p("\n### Where the time of a call goes\n\nOf *Call/all inputs and a session token*, ours, by a CPU profile:\n\n| | |\n|---|--:|\n")
	for _, part := range f.Parts {
		p("| %s | %.0f%% |\n", part.Name, part.Percent)
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
