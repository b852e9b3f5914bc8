//! What it costs to record a batch, and to write the text of a large worker.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tether_metrics::{Group, Metrics, Statistic, prometheus};

const TASKS: usize = 1_000;

/// Attributes of a task, over all of its groups.
const SENSORS: [[&str; 4]; 8] = [
    ["a-rate", "a-total", "a-max", "a-avg"],
    ["b-rate", "b-total", "b-max", "b-avg"],
    ["c-rate", "c-total", "c-max", "c-avg"],
    ["d-rate", "d-total", "d-max", "d-avg"],
    ["e-rate", "e-total", "e-max", "e-avg"],
    ["f-rate", "f-total", "f-max", "f-avg"],
    ["g-rate", "g-total", "g-max", "g-avg"],
    ["h-rate", "h-total", "h-max", "h-avg"],
];

const STATISTICS: [Statistic; 4] = [
    Statistic::Rate,
    Statistic::Total,
    Statistic::Max,
    Statistic::Average,
];

fn task(metrics: &Metrics, task: usize) -> Group {
    let mut group = metrics.group("kafka.connect", "source-task-metrics");
    group.tag("connector", format!("connector-{task}"));
    group.tag("task", "0");
    for names in SENSORS {
        let sensor = group.sensor();
        for (name, statistic) in names.into_iter().zip(STATISTICS) {
            group.statistic(&sensor, statistic, name, "Something.");
        }
        sensor.record_time(Duration::from_micros(1_234));
    }
    group.register()
}

fn cost(criterion: &mut Criterion) {
    let metrics = Metrics::default();
    let mut group = metrics.group("d", "t");
    let counter = group.counter("c-total", "C.");
    let sensor = group.sensor();
    group.statistic(&sensor, Statistic::Average, "s-avg", "S.");
    let _group = group.register();
    criterion.bench_function("counter", |bencher| {
        bencher.iter(|| counter.add(black_box(500)));
    });
    criterion.bench_function("sensor", |bencher| {
        bencher.iter(|| sensor.record_count(black_box(500)));
    });
    let _tasks: Vec<Group> = (0..TASKS).map(|id| task(&metrics, id)).collect();
    criterion.bench_function("text of 1000 tasks", |bencher| {
        bencher.iter(|| prometheus::render(&metrics));
    });
}

criterion_group!(benches, cost);
criterion_main!(benches);
