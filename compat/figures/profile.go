package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/pprof/profile"
)

// part is what one part of the code takes of a call's time.
type part struct {
	Name    string
	Percent float64
}

// parts are told apart by the names of their functions. A sample counts for the first one on its
// stack, from the innermost function outwards, so that a part has what it calls of the standard
// library, and none of what it calls of the other parts.
var parts = []struct {
	name     string
	packages []string
}{
	{"the core's signer", []string{"github.com/aws/aws-sdk-go-v2/aws/signer/"}},
	{"the core's attempt middleware: attempts, quota, clock skew", []string{"github.com/aws/aws-sdk-go-v2/aws/retry", "github.com/aws/aws-sdk-go-v2/aws/ratelimit"}},
	{"the rest of the core, smithy-go", []string{"github.com/aws/"}},
	{"JSON", []string{"encoding/json"}},
	{"this package", []string{"example.com/quicksightembed."}},
	{"the stubbed transport, the benchmark", []string{"example.com/quicksightembed/compat/peers."}},
}

const background = "collecting garbage, scheduling"

// measureParts profiles a call with all inputs and a session token.
func measureParts() ([]part, error) {
	dir, err := os.MkdirTemp("", "profile")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cpu")
	command := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkCall$/^all_inputs_and_a_session_token$/^ours$",
		"-benchtime", "5s", "-cpuprofile", file, "-o", filepath.Join(dir, "test"), "./peers")
	if printed, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the profile: %w\n%s", err, printed)
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	cpu, err := profile.Parse(opened)
	if err != nil {
		return nil, err
	}
	taken, whole := map[string]float64{}, 0.0
	for _, sample := range cpu.Sample {
		nanoseconds := float64(sample.Value[len(sample.Value)-1])
		taken[partOf(sample)] += nanoseconds
		whole += nanoseconds
	}
	var all []part
	for _, p := range parts {
		all = append(all, part{p.name, 100 * taken[p.name] / whole})
	}
	return append(all, part{background, 100 * taken[background] / whole}), nil
}

func partOf(sample *profile.Sample) string {
	for _, location := range sample.Location {
		for _, line := range location.Line {
			for _, p := range parts {
				for _, prefix := range p.packages {
					if strings.HasPrefix(line.Function.Name, prefix) {
						return p.name
					}
				}
			}
		}
	}
	return background
}
