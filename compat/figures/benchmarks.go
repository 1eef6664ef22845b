package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// benchmark is the result of a benchmark in ../peers, for both clients: medians of several runs, by
// unit.
type benchmark struct {
	Name           string
	Official, Ours map[string]float64
	TimesLessTime  float64 // the median of the runs' own ratios
}

// The benchmarks of calls, and how often benchmarks are run.
const (
	callBenchmarks = "Call|PerUser|Invalid|ErrorReply|Throttled|Loopback|Parallel|ReplySize|NewFromConfig|APIOptions"
	callRuns       = 7
	situationRuns  = 3 // of benchmarks that take seconds
)

// measure runs the benchmarks that a pattern matches.
func measure(pattern, benchtime string, runs int) ([]benchmark, error) {
	measured := map[string]map[string][]float64{} // by name, then unit
	var order []string
	for range runs {
		command := exec.Command("go", "test", "-run", "^$", "-bench", "^Benchmark("+pattern+")", "-benchtime", benchtime, "./peers")
		command.Stderr = os.Stderr
		printed, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("the benchmarks: %w\n%s", err, printed)
		}
		reader := benchfmt.NewReader(bytes.NewReader(printed), "go test")
		for reader.Scan() {
			result, ok := reader.Result().(*benchfmt.Result)
			if !ok {
				continue
			}
			name := regexp.MustCompile(`-\d+$`).ReplaceAllString(result.Name.String(), "")
			if measured[name] == nil {
				measured[name] = map[string][]float64{}
				order = append(order, name)
			}
			for _, value := range result.Values {
				measured[name][value.Unit] = append(measured[name][value.Unit], value.Value)
			}
		}
		if err := reader.Err(); err != nil {
			return nil, err
		}
	}
	var all []benchmark
	for _, official := range order {
		name, ok := strings.CutSuffix(official, "/official")
		if !ok {
			continue
		}
		ours := name + "/ours"
		b := benchmark{Name: strings.ReplaceAll(name, "_", " "), Official: medians(measured[official]), Ours: medians(measured[ours])}
		var ratios []float64
		for i, seconds := range measured[official]["sec/op"] {
			ratios = append(ratios, seconds/measured[ours]["sec/op"][i])
		}
		if len(ratios) > 0 {
			b.TimesLessTime = median(ratios)
		}
		all = append(all, b)
	}
	return all, nil
}

func medians(values map[string][]float64) map[string]float64 {
	all := map[string]float64{}
	for unit := range values {
		all[unit] = median(values[unit])
	}
	return all
}

// median sorts a copy: values stay in the order of their runs.
func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
