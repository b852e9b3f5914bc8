//! What came out, as figures and as a table.

use tether_tests::bench_results::Report;
use tether_tests::bench_runs::Run;
use tether_tests::bench_worker::Kind;

use crate::measure::Measured;

const SECONDS: &str = "seconds";
const CPU: &str = "cpu_seconds";
const IDLE_CPU: &str = "idle_cpu";
const RATE: &str = "requests_per_second";
const CPU_RATE: &str = "requests_per_cpu_second";
const HALF_LATENCY: &str = "p50_latency";
const LATENCY: &str = "p99_latency";
const MEMORY: &str = "memory";
const SCRAPE: &str = "scrape_time";
const SCRAPE_CPU: &str = "scrape_cpu_time";
const SCRAPE_SHARE: &str = "scrape_share_of_a_core";
const SCRAPE_BYTES: &str = "scrape_bytes";

/// How often Prometheus asks by the examples, in milliseconds.
const SCRAPE_INTERVAL: f64 = 15_000.0;

impl Run for Measured {
    #[allow(
        clippy::cast_precision_loss,
        reason = "requests and memory of a run are far below 2^52"
    )]
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        match self {
            Self::Connectors(connectors) => vec![
                (SECONDS, Some(connectors.seconds)),
                (CPU, Some(connectors.cpu_seconds)),
                (IDLE_CPU, Some(connectors.idle_cpu)),
                (MEMORY, Some(connectors.resident_kib as f64 * 1024.0)),
            ],
            Self::Answered(answered) => {
                let requests = answered.requests as f64;
                vec![
                    (RATE, Some(requests / answered.seconds)),
                    (CPU_RATE, Some(requests / answered.cpu_seconds)),
                    (HALF_LATENCY, Some(answered.p50_latency)),
                    (LATENCY, Some(answered.p99_latency)),
                    (MEMORY, Some(answered.resident_kib as f64 * 1024.0)),
                ]
            }
            Self::Scraped(scraped) => vec![
                (SCRAPE, Some(scraped.milliseconds)),
                (SCRAPE_CPU, Some(scraped.cpu_milliseconds)),
                (
                    SCRAPE_SHARE,
                    Some(scraped.cpu_milliseconds / SCRAPE_INTERVAL),
                ),
                (SCRAPE_BYTES, Some(scraped.bytes as f64)),
                (MEMORY, Some(scraped.resident_kib as f64 * 1024.0)),
            ],
        }
    }
}

/// Medians in a Markdown table.
pub(crate) fn markdown(report: &Report<Measured>) -> String {
    let mut table = String::from("| case | worker | figures |\n|---|---|---|\n");
    let reference = report.runs.medians(Kind::Reference);
    for ((case, reference), (_, ours)) in reference.zip(report.runs.medians(Kind::Tether)) {
        for (kind, medians) in [(Kind::Reference, reference), (Kind::Tether, ours)] {
            let Some(medians) = medians else {
                continue;
            };
            let figures = medians.iter();
            let figures: Vec<_> = figures
                .map(|(name, figure)| format!("{name} {figure:.3}"))
                .collect();
            let figures = figures.join(", ");
            table.push_str(&format!("| {case} | {} | {figures} |\n", kind.name()));
        }
    }
    table
}
