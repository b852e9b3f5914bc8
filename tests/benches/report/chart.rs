//! Horizontal bars, as SVG that stands by itself: no script, no font, light or dark as the reader's
//! system is.

use std::fmt::Write as _;

use crate::benchmark::Benchmark;
use crate::figure;
use crate::results::{Case, Figure};

const WIDTH: f64 = 760.0;
/// Where bars begin; the names of cases are before it.
const LEFT: f64 = 200.0;
/// The longest bar.
const LONGEST: f64 = 380.0;
/// A bar that is there can be seen.
const SHORTEST: f64 = 1.5;
const BAR: f64 = 13.0;
/// From one case to the next.
const CASE: f64 = 42.0;
/// Above the first case.
const HEAD: f64 = 62.0;
/// Left and right, and below the last case.
const MARGIN: f64 = 16.0;

/// Colours, for both themes: background, text, text of less weight, our bars and the reference's.
const STYLE: &str = "\
.back{fill:#ffffff;stroke:#d0d7de}.text{fill:#1f2328}.less{fill:#59636e}.tether{fill:#0969da}.java{fill:#afb8c1}\
@media(prefers-color-scheme:dark){.back{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.less{fill:#9198a1}\
.tether{fill:#4493f8}.java{fill:#656c76}}\
text{font:13px system-ui,sans-serif}.title{font-size:15px;font-weight:600}";

/// What is drawn: a figure of the cases of a benchmark.
#[derive(Debug)]
pub(crate) struct Chart {
    /// The figure's name in the report.
    pub(crate) figure: &'static str,
    /// Only the cases whose names begin so.
    pub(crate) cases: &'static str,
    /// Above it.
    pub(crate) title: &'static str,
}

impl Chart {
    /// The name of the file.
    pub(crate) fn file(&self, benchmark: &Benchmark) -> String {
        let figure = self.figure.replace('_', "-");
        format!("bench-{}-{figure}.svg", benchmark.name)
    }

    /// Draws what there is; nothing if no case has the figure.
    pub(crate) fn draw(&self, cases: &[Case<'_>]) -> Option<String> {
        let rows: Vec<(&str, Figure<'_>)> = cases
            .iter()
            .filter(|case| case.name.starts_with(self.cases))
            .filter_map(|case| {
                let mut figures = case.figures.iter();
                let figure = figures.find(|figure| figure.name == self.figure)?;
                Some((case.name, *figure))
            })
            .collect();
        let values = rows
            .iter()
            .flat_map(|(_, figure)| [figure.reference, figure.tether]);
        let most = values.flatten().reduce(f64::max)?;
        Some(svg(self.title, &rows, most))
    }
}

fn svg(title: &str, rows: &[(&str, Figure<'_>)], most: f64) -> String {
    let mut svg = String::new();
    let mut below = HEAD;
    for (name, figure) in rows {
        let middle = below + BAR + 5.0;
        let name = escape(name);
        let _ = writeln!(
            svg,
            "<text class=\"text\" x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>",
            LEFT - 10.0
        );
        let bars = [
            ("java", figure.reference, None),
            ("tether", figure.tether, figure.ratio),
        ];
        for (bar, (class, value, ratio)) in bars.into_iter().enumerate() {
            let Some(value) = value else {
                continue;
            };
            let top = if bar == 0 { below } else { below + BAR + 2.0 };
            let length = if most > 0.0 {
                (LONGEST * value / most).max(SHORTEST)
            } else {
                SHORTEST
            };
            let mut text = figure::text(figure.name, value);
            if let Some(ratio) = ratio {
                text = format!("{text} ({})", times(ratio));
            }
            let text = escape(&text);
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\n\
                 <text class=\"less\" x=\"{:.1}\" y=\"{}\">{text}</text>",
                LEFT + length + 7.0,
                top + BAR - 2.0
            );
        }
        below += CASE;
    }
    let height = below - CASE + 2.0 * BAR + MARGIN;
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
         <rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"text title\" x=\"{MARGIN}\" y=\"26\">{title}</text>\n{}{}{svg}</svg>\n",
        WIDTH - 1.0,
        height - 1.0,
        legend("java", "Java", LEFT),
        legend("tether", "Tether", LEFT + 70.0)
    )
}

/// How many times as much as the reference, or which part of it.
fn times(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 1.0 {
        format!("1/{}", figure::ratio(1.0 / ratio))
    } else {
        format!("{} ×", figure::ratio(ratio))
    }
}

fn legend(class: &str, name: &str, left: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{left}\" y=\"38\" width=\"11\" height=\"11\" rx=\"2\"/>\n\
         <text class=\"less\" x=\"{}\" y=\"48\">{name}</text>\n",
        left + 16.0
    )
}

/// Text as it may stand in an element or an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: Chart = Chart {
        figure: "seconds",
        cases: "",
        title: "Time <less> & \"better\"",
    };

    fn case(name: &str, tether: Option<f64>, reference: Option<f64>) -> Case<'_> {
        Case {
            name,
            figures: vec![Figure {
                name: "seconds",
                tether,
                reference,
                ratio: tether
                    .zip(reference)
                    .map(|(tether, reference)| tether / reference),
            }],
            failures: Vec::new(),
        }
    }

    #[test]
    fn bars_are_as_long_as_their_figures() {
        let cases = [case("3 × 250: <fill>", Some(20.0), Some(80.0))];
        let svg = CHART.draw(&cases).unwrap();
        for part in [
            "<rect class=\"java\" x=\"200\" y=\"62\" width=\"380.0\"",
            "<rect class=\"tether\" x=\"200\" y=\"77\" width=\"95.0\"",
            ">80.0 s</text>",
            ">20.0 s (1/4.0)</text>",
            ">3 × 250: &lt;fill&gt;</text>",
            "aria-label=\"Time &lt;less&gt; &amp; &quot;better&quot;\"",
        ] {
            assert!(svg.contains(part), "{part} is not in\n{svg}");
        }
    }

    #[test]
    fn what_is_missing_has_no_bar() {
        let svg = CHART.draw(&[case("a", Some(1.0), None)]).unwrap();
        // One of the legend.
        assert_eq!(svg.matches("class=\"java\"").count(), 1, "{svg}");
        assert!(svg.contains("width=\"380.0\""), "{svg}");
        assert_eq!(CHART.draw(&[]), None);
        assert_eq!(CHART.draw(&[case("a", None, None)]), None);
        let other = Chart {
            cases: "connectors-",
            ..CHART
        };
        assert_eq!(other.draw(&[case("a", Some(1.0), None)]), None);
    }

    #[test]
    fn ratios_are_told_as_people_say_them() {
        assert_eq!(times(10.94), "10.9 ×");
        assert_eq!(times(1.0), "1.0 ×");
        assert_eq!(times(0.002), "1/500.0");
    }

    #[test]
    fn nothing_is_a_short_bar() {
        let svg = CHART.draw(&[case("a", Some(0.0), None)]).unwrap();
        assert!(svg.contains("width=\"1.5\""), "{svg}");
    }

    #[test]
    fn files_are_named_after_what_they_show() {
        let benchmark = &crate::benchmark::BENCHMARKS[0];
        let file = benchmark.charts[0].file(benchmark);
        assert_eq!(file, "bench-start-start-time.svg");
    }
}
