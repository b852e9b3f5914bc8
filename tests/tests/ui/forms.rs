//! Creating and editing a connector, and what must not be taken for more than text.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_tests::eventually::eventually;

use super::page::Page;
use super::scene::Scene;

const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

#[test]
fn a_connector_is_created_once_the_worker_has_nothing_against_it() -> Result<()> {
    let scene = Scene::start()?;
    let page = Page::open(scene.worker.url())?;
    page.go("#/new")?;
    page.holds(&format!(
        "[...document.querySelectorAll('#plugin option')].some((option) => option.value === '{FILE_SOURCE}')"
    ))?;
    page.browser.script(
        "const select = document.getElementById('plugin'); select.value = arguments[0]; \
         select.dispatchEvent(new Event('change'))",
        &[json!(FILE_SOURCE)],
    )?;
    page.fill("[data-key=name] input", "made")?;
    page.fill("[data-key='tasks.max'] input", "many")?;
    page.shows("[data-key='tasks.max'] .problem", "many")?;
    page.click("[data-action=save]")?;
    page.shows("[data-key=topic] .problem", "topic")?;
    ensure!(scene.rest().connectors()?.is_empty());

    page.fill("[data-key='tasks.max'] input", "1")?;
    page.fill("[data-key=topic] input", &scene.topic)?;
    page.shows(".form-status", "No errors")?;
    page.holds("document.querySelector('[data-key=topic] .problem').hidden")?;
    page.click("[data-action=save]")?;
    page.holds("location.hash === '#/connectors/made'")?;
    scene.rest().wait_for("made", "RUNNING[RUNNING]")?;
    page.shows(".heading .badge", "Running")?;
    let config = scene.rest().get("/connectors/made/config")?;
    let expected = json!({
        "connector.class": FILE_SOURCE, "name": "made", "tasks.max": "1", "topic": scene.topic,
    });
    assert_eq!(config, expected);
    page.is_calm()
}

#[test]
fn secrets_are_neither_shown_nor_lost() -> Result<()> {
    let scene = Scene::start()?;
    let rest = scene.rest();
    let config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": "jdbc:sqlite:/nowhere",
        "connection.password": "s3cret-one",
        "consumer.override.sasl.jaas.config": "s3cret-two",
        "topics": scene.topic,
    });
    scene.create_stopped("safe", &config)?;
    let page = Page::open(scene.worker.url())?;
    page.go("#/connectors/safe/configuration")?;
    page.shows("main", "jdbc:sqlite:/nowhere")?;
    hides(&page)?;
    page.go("#/connectors/safe/edit")?;
    page.shows("[data-key='connection.password']", "Remove")?;
    hides(&page)?;
    page.fill(
        "[data-key='connection.url'] input",
        "jdbc:sqlite:/elsewhere",
    )?;
    page.shows(".form-status", "1 change")?;
    page.click("[data-action=save]")?;
    page.holds("location.hash === '#/connectors/safe'")?;
    let mut expected = config;
    expected["name"] = json!("safe");
    expected["connection.url"] = json!("jdbc:sqlite:/elsewhere");
    assert_eq!(rest.get("/connectors/safe/config")?, expected);

    page.go("#/connectors/safe/edit")?;
    page.fill("[data-key='connection.password'] textarea", "s3cret-new")?;
    page.click("[data-key='consumer.override.sasl.jaas.config'] button")?;
    page.shows(".form-status", "2 changes")?;
    page.click("[data-action=save]")?;
    page.holds("location.hash === '#/connectors/safe'")?;
    expected["connection.password"] = json!("s3cret-new");
    if let Some(config) = expected.as_object_mut() {
        config.remove("consumer.override.sasl.jaas.config");
    }
    assert_eq!(rest.get("/connectors/safe/config")?, expected);
    page.is_calm()
}

/// No secret is in the document, nor in what its fields hold.
fn hides(page: &Page) -> Result<()> {
    let shown = page.value(
        "document.documentElement.outerHTML + \
         [...document.querySelectorAll('input, textarea')].map((field) => field.value).join()",
    )?;
    ensure!(
        shown
            .as_str()
            .is_some_and(|shown| !shown.contains("s3cret"))
    );
    Ok(())
}

#[test]
fn markup_in_names_and_values_is_text() -> Result<()> {
    let scene = Scene::start()?;
    let name = "<img src=x onerror=\"window.hit=1\">";
    let mut config = scene.source("x");
    config["topic"] = json!("<script>window.hit=1</script>");
    config["note"] = json!("<b onmouseover=\"window.hit=1\">note</b>");
    scene.create_stopped(name, &config)?;
    let page = Page::open(scene.worker.url())?;
    page.shows(".row .name", name)?;
    page.click(".row .name a")?;
    page.shows("h1", name)?;
    page.click(".tabs a:nth-child(2)")?;
    page.shows("main", "<script>window.hit=1</script>")?;
    page.shows("main", "<b onmouseover=")?;
    page.click("[data-action=remove]")?;
    page.shows("dialog", name)?;
    page.confirm()?;
    eventually("it is deleted", || {
        let names = scene.rest().connectors()?;
        ensure!(names.is_empty(), "{names:?}");
        Ok(())
    })?;
    page.shows(".notice", name)?;
    assert_eq!(page.value("window.hit ?? null")?, Value::Null);
    page.is_calm()
}
