//! The list, a failure, and what can be done with a connector.

use anyhow::{Result, ensure};
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;

use super::page::Page;
use super::scene::Scene;

#[test]
fn states_and_numbers_are_live() -> Result<()> {
    let scene = Scene::start()?;
    let rest = scene.rest();
    std::fs::write(scene.file("lines"), "")?;
    rest.create("lines", &scene.source("lines"))?;
    rest.wait_for("lines", "RUNNING[RUNNING]")?;
    let page = Page::open(scene.worker.url())?;
    page.shows("[data-connector=lines]", "Running")?;
    page.shows("[data-connector=lines] .detail", "source")?;
    // Records since the look before.
    let mut text = String::new();
    eventually("the rate of the source shows", || {
        text.push_str("a line\n");
        std::fs::write(scene.file("lines"), &text)?;
        let rate = page.text("[data-connector=lines] .speed > span")?;
        ensure!(!["", "–", "0"].contains(&&*rate), "{rate}");
        Ok(())
    })?;
    page.holds("document.querySelector('.chart svg').ariaLabel.startsWith('Throughput: now ')")?;
    rest.put("lines", "pause")?;
    page.shows("[data-connector=lines]", "Paused")?;

    rest.create("broken", &scene.failing_sink())?;
    let trace = rest.wait_for_failure("broken")?;
    page.shows("[data-connector=broken]", "Failed")?;
    page.shows("button[data-state=failed]", "1")?;
    page.click("button[data-state=failed]")?;
    page.holds("document.querySelectorAll('[data-connector]').length === 1")?;
    page.click("[data-connector=broken] a")?;
    page.shows(".failure h3", "Task 0 has failed")?;
    let reason = page.text(".failure .reason")?;
    ensure!(trace.contains(&reason), "{reason:?} is not of {trace:?}");
    page.shows(".advice", "restart the task")?;
    page.click(".failure summary")?;
    page.shows(".failure pre", trace.lines().next().unwrap_or_default())?;

    // The folder comes, and the task is restarted from where its failure is told.
    std::fs::create_dir_all(scene.file("no/such"))?;
    page.click(".failure .primary")?;
    page.confirm()?;
    rest.wait_for("broken", "RUNNING[RUNNING]")?;
    page.holds("document.querySelectorAll('.failure').length === 0")?;
    page.is_calm()
}

#[test]
fn commands_are_asked_about_first() -> Result<()> {
    let scene = Scene::start()?;
    let rest = scene.rest();
    rest.create("it", &scene.source("it"))?;
    rest.wait_for("it", "RUNNING[RUNNING]")?;
    let page = Page::open(scene.worker.url())?;
    page.go("#/connectors/it")?;
    page.click("[data-action=pause]")?;
    page.shows("dialog", "Pause it?")?;
    page.click("dialog button:not([data-confirm])")?;
    page.holds("document.querySelector('dialog') === null")?;
    assert_eq!(rest.states("it")?, "RUNNING[RUNNING]");

    for (action, states, shown) in [
        ("pause", "PAUSED[PAUSED]", "Paused"),
        ("resume", "RUNNING[RUNNING]", "Running"),
        ("stop", "STOPPED[]", "Stopped"),
        ("resume", "RUNNING[RUNNING]", "Running"),
    ] {
        page.command(action)?;
        rest.wait_for("it", states)?;
        page.shows(".heading .badge", shown)?;
    }
    let before = log_lines(&scene, "Starting file source");
    page.command("restart")?;
    page.shows(".notice", "is being")?;
    eventually("the connector is started anew", || {
        ensure!(log_lines(&scene, "Starting file source") > before);
        Ok(())
    })?;
    rest.wait_for("it", "RUNNING[RUNNING]")?;

    page.command("remove")?;
    is_gone(&rest, "it")?;
    page.holds("location.hash === '#/'")?;
    page.shows(".empty", "no connectors")?;
    page.is_calm()
}

fn log_lines(scene: &Scene, text: &str) -> usize {
    use tether_tests::worker::Worker;
    scene.worker.log().matches(text).count()
}

fn is_gone(rest: &RestClient, name: &str) -> Result<()> {
    eventually(&format!("{name} is deleted"), || {
        let names = rest.connectors()?;
        ensure!(names.is_empty(), "{names:?}");
        Ok(())
    })
}
