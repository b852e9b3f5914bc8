//! A thousand connectors, the keyboard, phones and themes.

use std::thread;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::page::Page;
use super::scene::Scene;

const MANY: usize = 1000;

/// How many clients create connectors side by side.
const CLIENTS: usize = 4;

#[test]
fn a_thousand_connectors_are_filtered_and_shown_as_they_come_into_view() -> Result<()> {
    let options = WorkerOptions::new(&unique("ui"), &shared::bootstrap()?)?;
    let worker = WorkerProcess::standalone(&options, &[])?;
    let create = |part: usize| -> Result<()> {
        let rest = worker.rest();
        for number in (part..MANY).step_by(CLIENTS) {
            let name = format!("connector-{number:04}");
            let config = json!({"connector.class": "FileStreamSink", "topics": "t"});
            let request = json!({"name": name, "config": config, "initial_state": "STOPPED"});
            rest.expect(201, "POST", "/connectors", Some(&request))?;
        }
        Ok(())
    };
    thread::scope(|scope| -> Result<()> {
        let clients = (0..CLIENTS).map(|part| scope.spawn(move || create(part)));
        let clients: Vec<_> = clients.collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().expect("no panic"))
    })?;
    let page = Page::open(worker.url())?;
    page.shows(".shown", "1,000 connectors")?;
    page.shows("button[data-state=stopped]", "1,000")?;
    let rows = || page.value("document.querySelectorAll('[data-connector]').length");
    let at_first = rows()?;
    ensure!(
        at_first
            .as_u64()
            .is_some_and(|rows| (10..300).contains(&rows)),
        "{at_first}"
    );
    eventually("the last connector comes into view", || {
        page.browser
            .script("scrollTo(0, document.body.scrollHeight)", &[])?;
        let shown = rows()?;
        ensure!(shown == json!(MANY), "{shown}");
        Ok(())
    })?;
    page.fill("#search", "0777")?;
    page.shows(".shown", "1 of 1,000 connectors")?;
    page.shows(".row .name", "connector-0777")?;
    page.fill("#search", "nothing like that")?;
    page.shows(".empty", "No connector fits")?;
    page.is_calm()
}

#[test]
fn the_keyboard_is_enough() -> Result<()> {
    const ENTER: &str = "\u{e007}";
    const TAB: &str = "\u{e004}";
    const ESCAPE: &str = "\u{e00c}";
    let scene = Scene::start()?;
    for name in ["first", "second"] {
        scene.create_stopped(name, &scene.source(name))?;
    }
    let page = Page::open(scene.worker.url())?;
    page.shows(".shown", "2 connectors")?;
    let focus = |what: &str| page.holds(&format!("document.activeElement.matches({what:?})"));
    page.browser.press(&[TAB])?;
    focus(".skip")?;
    page.browser.press(&["/"])?;
    focus("#search")?;
    page.browser.press(&["s", "e", "c"])?;
    page.shows(".shown", "1 of 2")?;
    eventually("the connector can be reached", || {
        page.browser.press(&[TAB])?;
        let at = page.value("document.activeElement.textContent")?;
        ensure!(at == json!("second"), "{at}");
        Ok(())
    })?;
    page.browser.press(&[ENTER])?;
    focus("h1")?;
    page.shows("h1", "second")?;
    page.browser.press(&[TAB])?;
    focus("[data-action=resume]")?;
    page.browser.press(&[ENTER])?;
    page.shows("dialog", "Resume second?")?;
    page.browser.press(&[ESCAPE])?;
    page.holds("document.querySelector('dialog') === null")?;
    focus("[data-action=resume]")?;
    page.browser.press(&[ENTER])?;
    focus("dialog button")?;
    page.browser.press(&[TAB, ENTER])?;
    scene.rest().wait_for("second", "RUNNING[RUNNING]")?;
    page.shows(".heading .badge", "Running")?;
    page.is_calm()
}

#[test]
fn it_fits_a_phone_and_follows_the_theme() -> Result<()> {
    const WIDTH: u32 = 360;
    let scene = Scene::start()?;
    let name = format!("a-connector-with-a-{}-name", "long".repeat(12));
    let rest = scene.rest();
    rest.create(&name, &scene.failing_sink())?;
    rest.wait_for_failure(&name)?;
    let page = Page::open(scene.worker.url())?;
    page.browser.be_phone(WIDTH)?;
    let connector = format!("#/connectors/{name}");
    for (view, shown) in [
        ("#/", "1 connector"),
        (&*connector, "What to do"),
        (&format!("{connector}/configuration"), "connector.class"),
        (&format!("{connector}/offsets"), "Offsets"),
        (&format!("{connector}/edit"), "topics"),
        ("#/new", "connector.class"),
        ("#/workers", "MiB"),
    ] {
        page.go(view)?;
        page.shows("main", shown)?;
        let width = page.value("document.documentElement.scrollWidth")?;
        ensure!(width == json!(WIDTH), "{view} is {width} wide");
    }

    let ground = || page.value("getComputedStyle(document.body).backgroundColor");
    page.browser.prefer("light")?;
    let light = ground()?;
    page.browser.prefer("dark")?;
    let dark = ground()?;
    ensure!(light != dark, "{light}");
    let choose = |theme: &str, expected: &Value| -> Result<()> {
        page.click("#theme")?;
        page.holds(&format!(
            "document.getElementById('theme').textContent.endsWith('{theme}')"
        ))?;
        assert_eq!(&ground()?, expected, "{theme}");
        Ok(())
    };
    choose("light", &light)?;
    page.browser.reload()?;
    assert_eq!(ground()?, light);
    choose("dark", &dark)?;
    choose("auto", &dark)?;
    page.is_calm()
}
