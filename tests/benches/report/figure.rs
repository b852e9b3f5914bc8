//! Figures as people read them.

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Number,
    Milliseconds,
    Seconds,
    Bytes,
    /// A part of one.
    Share,
}

/// What a figure of a report is called, and what it counts.
fn describe(name: &str) -> Option<(&'static str, Unit)> {
    Some(match name {
        "start_time" => ("first answered request", Unit::Milliseconds),
        "ready_time" => ("ready", Unit::Milliseconds),
        "cpu_time" => ("processor time of the start", Unit::Milliseconds),
        "idle_memory" => ("memory", Unit::Bytes),
        "idle_memory_proportional" => ("memory, shared parts divided", Unit::Bytes),
        "requests_per_second" => ("requests a second", Unit::Number),
        "requests_per_cpu_second" => ("requests a second of processor time", Unit::Number),
        "p50_latency" => ("half within", Unit::Milliseconds),
        "p99_latency" => ("99 % within", Unit::Milliseconds),
        "memory" => ("memory", Unit::Bytes),
        "seconds" => ("time until all run", Unit::Seconds),
        "cpu_seconds" => ("processor time for it", Unit::Seconds),
        "broker_cpu_seconds" => ("the broker's", Unit::Seconds),
        "idle_cpu" => ("share of a core when idle", Unit::Share),
        "scrape_time" => ("time of a scrape", Unit::Milliseconds),
        "scrape_cpu_time" => ("processor time of a scrape", Unit::Milliseconds),
        "scrape_share_of_a_core" => ("share of a core, every 15 s", Unit::Share),
        "scrape_bytes" => ("length of a scrape", Unit::Bytes),
        "records_per_second" => ("records a second", Unit::Number),
        "records_per_cpu_second" => ("records a second of processor time", Unit::Number),
        "events_per_second" => ("events a second", Unit::Number),
        "events_per_cpu_second" => ("events a second of processor time", Unit::Number),
        "rows_per_second" => ("rows a second", Unit::Number),
        "rows_per_cpu_second" => ("rows a second of processor time", Unit::Number),
        "peak_memory" => ("memory at most", Unit::Bytes),
        "bytes" => ("between workers and broker", Unit::Bytes),
        "rounds" => ("rounds of the group", Unit::Number),
        _ => return None,
    })
}

/// What a figure is called.
pub(crate) fn label(name: &str) -> &str {
    describe(name).map_or(name, |(label, _)| label)
}

/// A figure with its unit.
pub(crate) fn text(name: &str, figure: f64) -> String {
    match describe(name).map_or(Unit::Number, |(_, unit)| unit) {
        Unit::Number => number(figure),
        Unit::Milliseconds => format!("{} ms", number(figure)),
        Unit::Seconds => format!("{} s", number(figure)),
        Unit::Share => format!("{} %", number(figure * 100.0)),
        Unit::Bytes if figure < 1_048_576.0 => format!("{} KiB", number(figure / 1024.0)),
        Unit::Bytes => format!("{} MiB", number(figure / 1_048_576.0)),
    }
}

/// Ours divided by the reference's, with two digits that say something or, above ten, one after the point.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio >= 10.0 {
        grouped(ratio, 1)
    } else {
        grouped(ratio, decimals(ratio, 2))
    }
}

/// Three digits that say something; all before the point from a thousand on, of which four do.
fn number(figure: f64) -> String {
    if figure.abs() < 1000.0 {
        return grouped(figure, decimals(figure, 3));
    }
    let unit = 10_f64.powf((figure.abs().log10().floor() - 3.0).max(0.0));
    grouped((figure / unit).round() * unit, 0)
}

/// How many digits after the point it takes for so many that say something.
fn decimals(figure: f64, digits: usize) -> usize {
    // The first digit that says something: 0 before the point, 1 the first after it.
    let first = (0..9).find(|first| figure.abs() * 10_f64.powi(*first) >= 1.0);
    match (first, figure.abs()) {
        (_, 100.0..) => digits.saturating_sub(3),
        (_, 10.0..) => digits.saturating_sub(2),
        (Some(first), _) => digits - 1 + usize::try_from(first).unwrap_or_default(),
        (None, _) => 0,
    }
}

/// With commas between thousands.
fn grouped(figure: f64, decimals: usize) -> String {
    let text = format!("{figure:.decimals$}");
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (text.as_str(), String::new()),
    };
    let digits = whole.len();
    let mut grouped = String::with_capacity(digits * 2);
    for (index, digit) in whole.chars().enumerate() {
        let left = digits - index;
        if index > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_units() {
        assert_eq!(text("start_time", 12_727.3), "12,730 ms");
        assert_eq!(text("start_time", 18.26), "18.3 ms");
        assert_eq!(text("p99_latency", 0.942), "0.942 ms");
        assert_eq!(text("records_per_second", 2_107_431.0), "2,107,000");
        assert_eq!(text("idle_memory", 18.3 * 1_048_576.0), "18.3 MiB");
        assert_eq!(text("bytes", 30_720.0), "30.0 KiB");
        assert_eq!(text("bytes", 0.0), "0 KiB");
        assert_eq!(text("idle_cpu", 0.0035), "0.350 %");
        assert_eq!(text("scrape_share_of_a_core", 0.000_7), "0.0700 %");
        assert_eq!(text("seconds", 412.6), "413 s");
        assert_eq!(text("of tomorrow", 1000.0), "1,000");
        assert_eq!(label("of tomorrow"), "of tomorrow");
    }

    #[test]
    fn ratios_say_something_on_both_sides_of_one() {
        assert_eq!(ratio(10.94), "10.9");
        assert_eq!(ratio(1234.5), "1,234.5");
        assert_eq!(ratio(6.44), "6.4");
        assert_eq!(ratio(0.0358), "0.036");
        assert_eq!(ratio(0.001_414), "0.0014");
        assert_eq!(ratio(0.0), "0");
    }
}
