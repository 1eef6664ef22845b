package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// benchmark is what one of the benchmarks of ../bench_test.go came to: medians of several runs, of both clients.
type benchmark struct {
	Name           string
	Official, Ours cost
	TimesLessTime  float64 // the median of the runs' own: what else the machine does slows both of one run alike
}

const benchmarkRuns = 7

// cost is that of one call.
type cost struct{ Nanoseconds, Bytes, Allocations float64 }

func measureBenchmarks() ([]benchmark, error) {
	runs := map[string]map[string][]float64{} // name, unit
	var order []string
	for range benchmarkRuns {
		command := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "0.2s", ".")
		command.Stderr = os.Stderr
		printed, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("the benchmarks: %w", err)
		}
		reader := benchfmt.NewReader(bytes.NewReader(printed), "go test")
		for reader.Scan() {
			result, ok := reader.Result().(*benchfmt.Result)
			if !ok {
				continue
			}
			name := regexp.MustCompile(`-\d+$`).ReplaceAllString(result.Name.String(), "")
			if runs[name] == nil {
				runs[name] = map[string][]float64{}
				order = append(order, name)
			}
			for _, value := range result.Values {
				runs[name][value.Unit] = append(runs[name][value.Unit], value.Value)
			}
		}
		if err := reader.Err(); err != nil {
			return nil, err
		}
	}
	costOf := func(name string) cost {
		return cost{median(runs[name]["sec/op"]) * 1e9, median(runs[name]["B/op"]), median(runs[name]["allocs/op"])}
	}
	var all []benchmark
	for _, official := range order {
		name, ok := strings.CutSuffix(official, "/official")
		if !ok {
			continue
		}
		ours := name + "/ours"
		var ratios []float64
		for i, seconds := range runs[official]["sec/op"] {
			ratios = append(ratios, seconds/runs[ours]["sec/op"][i])
		}
		all = append(all, benchmark{name, costOf(official), costOf(ours), median(ratios)})
	}
	return all, nil
}

// median leaves the values in the order of their runs.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// connections are those of a TestConnections with 50,000 calls.
type connections struct {
	Name                string
	Calls, Opened, Left int
}

func measureConnections() ([]connections, error) {
	printed, err := exec.Command("go", "test", "-count", "1", "-v", "-run", "^TestConnections$", "-calls", "50000", "-timeout", "20m", ".").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the connections: %w\n%s", err, printed)
	}
	var all []connections
	name := ""
	for line := range strings.Lines(string(printed)) {
		if started := regexp.MustCompile(`=== RUN +TestConnections/(.*)`).FindStringSubmatch(line); started != nil {
			name = strings.ReplaceAll(started[1], "_", " ")
		}
		if counted := regexp.MustCompile(`(\d+) calls: (\d+) connections opened, (\d+) left`).FindStringSubmatch(line); counted != nil {
			c := connections{Name: name}
			for i, into := range []*int{&c.Calls, &c.Opened, &c.Left} {
				if *into, err = strconv.Atoi(counted[i+1]); err != nil {
					return nil, err
				}
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b connections) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
