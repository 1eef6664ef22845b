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
	const begin, end = "<!-- figures: written by go run ./performance -->\n", "<!-- end of figures -->\n"
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
	p("\nMeasured on %s with %s on %s; benchmarks are medians of %d runs of both clients, one after the other.\n", f.Date, f.Go, f.Machine, benchmarkRuns)

	p("\n### Time and memory of a call\n\n| benchmark | official | ours | times less time | allocations | ours | times fewer | bytes | ours |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, b := range f.Benchmarks {
		p("| %s | %s | %s | %.1f | %.0f | %.0f | %.1f | %.0f | %.0f |\n", strings.ReplaceAll(b.Name, "_", " "),
			duration(b.Official.Nanoseconds), duration(b.Ours.Nanoseconds), b.TimesLessTime,
			b.Official.Allocations, b.Ours.Allocations, b.Official.Allocations/b.Ours.Allocations, b.Official.Bytes, b.Ours.Bytes)
	}

	p("\n### Building from nothing\n\n| program | CPU seconds | peak memory, MiB | binary, MiB | modules downloaded, MiB | packages |\n|---|--:|--:|--:|--:|--:|\n")
	for _, fp := range f.Footprints {
		p("| `footprint/%s` | %.1f | %.0f | %.2f | %.1f | %d |\n", fp.Program, fp.CPUSeconds, fp.PeakMiB, fp.BinaryMiB, fp.DownloadMiB, fp.Packages)
	}

	p("\n### Connections, for 256 goroutines over TLS\n\n| | calls | opened | left idle |\n|---|--:|--:|--:|\n")
	for _, c := range f.Connections {
		p("| %s | %d | %d | %d |\n", c.Name, c.Calls, c.Opened, c.Left)
	}
	p("\n")
	return text.String()
}

func duration(nanoseconds float64) string {
	switch {
	case nanoseconds < 1e3:
		return fmt.Sprintf("%.0f ns", nanoseconds)
	case nanoseconds < 1e6:
		return fmt.Sprintf("%.1f µs", nanoseconds/1e3)
	}
	return fmt.Sprintf("%.1f ms", nanoseconds/1e6)
}
