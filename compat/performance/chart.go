package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// bar is how many times less of something this client takes.
type bar struct {
	label string
	times float64
	note  string
}

func bars(f figures) ([]bar, error) {
	call := func(name string) (benchmark, error) {
		for _, b := range f.Benchmarks {
			if b.Name == name {
				return b, nil
			}
		}
		return benchmark{}, fmt.Errorf("no figures of %s", name)
	}
	program := map[string]footprint{}
	for _, fp := range f.Footprints {
		program[fp.Program] = fp
	}
	base, ours, official := program["nethttp"], program["client"], program["official"]
	stubbed, err := call("Call/all_inputs_and_a_session_token")
	if err != nil {
		return nil, err
	}
	loopback, err := call("Loopback/HTTP")
	if err != nil {
		return nil, err
	}
	above := func(label, unit string, of func(footprint) float64) bar {
		a, b := of(official)-of(base), of(ours)-of(base)
		return bar{label, a / b, fmt.Sprintf("%.1f instead of %.1f %s", b, a, unit)}
	}
	return []bar{
		{"time of a call, without a network", stubbed.TimesLessTime,
			duration(stubbed.Ours.Nanoseconds) + " instead of " + duration(stubbed.Official.Nanoseconds)},
		{"time of a call over loopback", loopback.TimesLessTime,
			duration(loopback.Ours.Nanoseconds) + " instead of " + duration(loopback.Official.Nanoseconds)},
		{"allocations of a call", stubbed.Official.Allocations / stubbed.Ours.Allocations,
			fmt.Sprintf("%.0f instead of %.0f", stubbed.Ours.Allocations, stubbed.Official.Allocations)},
		above("binary size*", "MiB", func(f footprint) float64 { return f.BinaryMiB }),
		above("CPU time to compile*", "s", func(f footprint) float64 { return f.CPUSeconds }),
		{"peak memory to compile", official.PeakMiB / ours.PeakMiB, fmt.Sprintf("%.0f instead of %.0f MiB", ours.PeakMiB, official.PeakMiB)},
	}, nil
}

// writeChart draws the bars on a white ground, which is legible on a dark page too.
func writeChart(f figures) error {
	all, err := bars(f)
	if err != nil {
		return err
	}
	slices.Reverse(all)               // the first one is to be the topmost
	plot.DefaultFont.Variant = "Sans" // of the metrics of Arial and Helvetica, which most machines have one of
	p := plot.New()
	p.Title.Text = "How many times less than the official client (log scale)"
	p.Title.TextStyle.Font.Size = vg.Points(15)
	p.Title.Padding = vg.Points(12)
	p.BackgroundColor = color.White
	p.X.Label.Text = "* above a program with net/http alone"
	p.X.Min, p.X.Max = 0, math.Log10(50)
	var ticks plot.ConstantTicks
	for _, times := range []float64{1, 2, 5, 10, 20, 50} {
		ticks = append(ticks, plot.Tick{Value: math.Log10(times), Label: fmt.Sprintf("%.0f×", times)})
	}
	p.X.Tick.Marker = ticks

	values := make(plotter.Values, len(all))
	names := make([]string, len(all))
	labels := plotter.XYLabels{}
	for i, b := range all {
		if b.times < 1 || math.IsInf(b.times, 0) || math.IsNaN(b.times) {
			return fmt.Errorf("%s: %f times less is not to be drawn", b.label, b.times)
		}
		values[i], names[i] = math.Log10(b.times), b.label+"      " // room for a wider font
		labels.XYs = append(labels.XYs, plotter.XY{X: values[i], Y: float64(i)})
		labels.Labels = append(labels.Labels, fmt.Sprintf("  %.1f×   %s", b.times, b.note))
	}
	barChart, err := plotter.NewBarChart(values, vg.Points(20))
	if err != nil {
		return err
	}
	barChart.Horizontal, barChart.LineStyle.Width = true, 0
	barChart.Color = color.RGBA{R: 0x1f, G: 0x6f, B: 0xb5, A: 0xff}
	notes, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	for i := range notes.TextStyle {
		notes.TextStyle[i].YAlign = text.YCenter
		notes.TextStyle[i].Font.Size = vg.Points(11)
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Width = 0
	p.Add(grid, barChart, notes)
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size, p.X.Tick.Label.Font.Size = vg.Points(12), vg.Points(11)
	return p.Save(vg.Points(760), vg.Points(310), chartFile)
}
