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

// bar is a bar of the chart: the figure of the official client, divided by that of this client.
type bar struct {
	label string
	times float64
	note  string
}

func bars(f figures) ([]bar, error) {
	var missing error
	find := func(among []benchmark, name string) benchmark {
		for _, b := range among {
			if b.Name == name {
				return b
			}
		}
		missing = fmt.Errorf("no figures of %s", name)
		return benchmark{}
	}
	less := func(label string, b benchmark, unit, format string) bar {
		official, ours := b.Official[unit], b.Ours[unit]
		return bar{label, official / ours, fmt.Sprintf(format+" instead of "+format, ours, official)}
	}
	program := map[string]footprint{}
	for _, fp := range f.Footprints {
		program[fp.Program] = fp
	}
	base, ours, official := program["nethttp"], program["client"], program["official"]
	above := func(label, unit string, of func(footprint) float64) bar {
		a, b := of(official)-of(base), of(ours)-of(base)
		return bar{label, a / b, fmt.Sprintf("%.1f instead of %.1f %s", b, a, unit)}
	}
	many, burst := find(f.Distance, "Distance/300 callers"), find(f.Distance, "Distance/100 callers at once, again")
	stubbed := find(f.Calls, "Call/all inputs and a session token")
	clients := find(f.ManyClients, "ManyClients/standard/100 clients")
	return []bar{
		less("median call, 300 callers", many, "p50-ms", "%.0f ms"),
		less("connections for their 9,000 calls", many, "connections", "%.0f"),
		less("median call of a burst of 100", burst, "p50-ms", "%.0f ms"),
		less("memory of 100 clients**", clients, "KiB", "%.0f KiB"),
		{"peak memory to compile", official.PeakMiB / ours.PeakMiB, fmt.Sprintf("%.0f MiB instead of %.0f MiB", ours.PeakMiB, official.PeakMiB)},
		above("CPU time to compile*", "s", func(f footprint) float64 { return f.CPUSeconds }),
		above("binary size*", "MiB", func(f footprint) float64 { return f.BinaryMiB }),
		{"time of a call, without a network", stubbed.TimesLessTime, duration(stubbed.Ours["sec/op"]) + " instead of " + duration(stubbed.Official["sec/op"])},
		less("allocations of a call", stubbed, "allocs/op", "%.0f"),
	}, missing
}

// writeChart draws the bars on a white background, which is legible on a dark page too.
func writeChart(f figures) error {
	all, err := bars(f)
	if err != nil {
		return err
	}
	slices.Reverse(all)               // the first bar is at the top
	plot.DefaultFont.Variant = "Sans" // as wide as Arial and Helvetica
	p := plot.New()
	p.Title.Text = "How many times less than the official client (log scale)"
	p.Title.TextStyle.Font.Size = vg.Points(15)
	p.Title.Padding = vg.Points(12)
	p.BackgroundColor = color.White
	p.X.Label.Text = "* above a program with net/http alone      ** of one config, standard mode"
	p.X.Min, p.X.Max = 0, math.Log10(55)
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
	return p.Save(vg.Points(780), vg.Points(380), chartFile)
}
