//! The plots, as SVG that a browser and a code host show without help.
//!
//! What must stay true: the same figures give the same bytes; colours are told apart in light and dark, and each series is
//! also named in the plot.

use std::fmt::Write;

use super::words;
use crate::figures::{Figures, Point, Spread};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;
const COLOURS: [&str; 4] = ["#6b7280", "#d97706", "#2563eb", "#059669"];

/// One line of a plot.
struct Line {
    name: String,
    /// Which colour, and whether it is dashed.
    colour: usize,
    is_dashed: bool,
    points: Vec<(f64, f64)>,
}

/// One pair of axes.
struct Axes<'t> {
    title: &'t str,
    x: &'t str,
    y: &'t str,
    is_logarithmic: bool,
    lines: Vec<Line>,
}

/// Latency over load: gets and puts, each beside its floor.
pub(super) fn latency_over_load(figures: &Figures) -> String {
    let reads = [("floor-echo", 0), ("GetItem", 2)];
    let writes = [("floor-put", 0), ("PutItem", 1)];
    let lines = |series: [(&str, usize); 2]| series.iter().flat_map(|(name, colour)| latencies(figures.curves(), name, *colour)).collect();
    let axes = |title, lines| Axes { title, x: "requests per second, open loop", y: "latency in µs", is_logarithmic: false, lines };
    page(&[axes("GetItem and its floor", lines(reads)), axes("durable PutItem and its floor", lines(writes))])
}

fn latencies(points: &[Point], series: &str, colour: usize) -> [Line; 2] {
    let line = |name: &str, is_dashed, value: fn(&Point) -> f64| Line {
        name: format!("{series} {name}"),
        colour,
        is_dashed,
        points: points.iter().filter(|point| point.series == series).map(|point| (point.per_second, value(point))).collect(),
    };
    [line("p50", false, |point| point.p50_us), line("p99", true, |point| point.p99_us)]
}

/// Cost over size: CPU and p50 of a get, a put and a page among few and many items.
pub(super) fn cost_over_size(figures: &Figures) -> String {
    let median = |name: &str| Spread::of(figures.values(name)).map(|spread| spread.median);
    let sizes = [("few", 10_000.0), ("many", median("sizes.items").unwrap_or(1_000_000.0))];
    let line = |operation: &str, colour, figure: &str| Line {
        name: operation.to_owned(),
        colour,
        is_dashed: false,
        points: sizes.iter().filter_map(|(size, items)| Some((*items, median(&format!("{operation}-{size}.{figure}"))?))).collect(),
    };
    let lines = |figure: &str| [("get", 2), ("put", 1), ("query", 3)].map(|(operation, colour)| line(operation, colour, figure)).into();
    let axes = |title, y, figure: &str| Axes { title, x: "items in the table", y, is_logarithmic: true, lines: lines(figure) };
    page(&[axes("CPU per request", "µs of CPU", "cpu_us"), axes("p50 at 64 connections", "latency in µs", "p50_us")])
}

fn page(plots: &[Axes<'_>]) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a handful of plots")]
    let width = WIDTH * plots.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" width=\"{width}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let mut offset = 0.0;
    for plot in plots {
        let _ = writeln!(svg, "<g transform=\"translate({offset} 0)\">");
        draw(&mut svg, plot);
        svg.push_str("</g>\n");
        offset += WIDTH;
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, plot: &Axes<'_>) {
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>", plot.title);
    let points = || plot.lines.iter().flat_map(|line| line.points.iter());
    let (x_max, y_max) = points().fold((0.0_f64, 0.0_f64), |(x, y), point| (x.max(point.0), y.max(point.1)));
    if points().count() == 0 {
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{TOP}\">not measured</text>");
        return;
    }
    let y_max = nice(y_max);
    let x_min = if plot.is_logarithmic { points().map(|point| point.0).fold(x_max, f64::min) } else { 0.0 };
    let x = |value: f64| {
        let share = if plot.is_logarithmic { (value / x_min).ln() / (x_max / x_min).ln().max(f64::MIN_POSITIVE) } else { value / x_max };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    };
    let y = |value: f64| HEIGHT - BOTTOM - value / y_max * (HEIGHT - TOP - BOTTOM);
    for step in 0..=4 {
        let value = y_max * f64::from(step) / 4.0;
        let at = y(value);
        let _ = writeln!(svg, "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#e5e7eb\"/>", WIDTH - RIGHT);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 6.0, at + 4.0, words::number(value));
    }
    let mut marks: Vec<f64> = points().map(|point| point.0).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup_by(|later, earlier| (x(*later) - x(*earlier)).abs() < 30.0);
    for value in marks {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(value),
            HEIGHT - BOTTOM + 16.0,
            words::number(value)
        );
    }
    let _ =
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", f64::midpoint(LEFT, WIDTH), HEIGHT - 10.0, plot.x);
    let middle = HEIGHT / 2.0;
    let _ = writeln!(svg, "<text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>", plot.y);
    for (at, line) in plot.lines.iter().enumerate() {
        series(svg, line, at, &x, &y);
    }
}

fn series(svg: &mut String, line: &Line, at: usize, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) {
    let colour = COLOURS[line.colour % COLOURS.len()];
    let dashes = if line.is_dashed { " stroke-dasharray=\"5 3\"" } else { "" };
    let places: Vec<String> = line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
    let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>", places.join(" "));
    for point in &line.points {
        let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(point.0), y(point.1));
    }
    #[allow(clippy::cast_precision_loss, reason = "a handful of lines")]
    let top = TOP + 4.0 + 14.0 * at as f64;
    let left = LEFT + 10.0;
    let _ = writeln!(
        svg,
        "<line x1=\"{left}\" y1=\"{top}\" x2=\"{}\" y2=\"{top}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
        left + 22.0
    );
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", left + 28.0, top + 4.0, line.name);
}

/// The next of 1, 2, 4, 5, 8 times a power of ten.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(value.log10().floor());
    let found = [1.0, 2.0, 4.0, 5.0, 8.0].into_iter().find(|step| step * power >= value);
    found.map_or(10.0 * power, |step| step * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        assert!((nice(3.2) - 4.0).abs() < 1e-9);
        assert!((nice(812.0) - 1000.0).abs() < 1e-9);
        assert!((nice(0.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_plot_names_its_series_and_draws_each_point() {
        let mut figures = Figures::default();
        for at in 1..=3 {
            let load = f64::from(at) * 1000.0;
            figures.plot(Point { series: "GetItem", per_second: load, p50_us: 100.0, p99_us: 300.0 });
        }
        let svg = latency_over_load(&figures);
        assert!(svg.contains("GetItem p50") && svg.contains("GetItem p99"));
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains("not measured") && !svg.contains("NaN"));
    }
}
