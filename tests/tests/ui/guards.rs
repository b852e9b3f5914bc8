//! Who gets the page, and who does not.

use anyhow::Result;
use tether_services::folders::RunFolder;
use tether_services::http;
use tether_services::shared;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::page::Page;

const PATHS: [&str; 6] = [
    "/ui",
    "/ui/",
    "/ui/app.js",
    "/ui/data/worker",
    "/ui/data/group",
    "/ui/data/connectors/x/dead-letters",
];

#[test]
fn it_can_be_switched_off() -> Result<()> {
    let options = WorkerOptions::new(&unique("ui"), &shared::bootstrap()?)?;
    // As containers say it.
    let variables = options.property("ui.enabled", "false").as_variables();
    let listener = variables
        .iter()
        .find(|(name, _)| name == "CONNECT_LISTENERS")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let worker = WorkerProcess::from_environment(&variables, &listener)?;
    for path in PATHS {
        assert_eq!(worker.rest().send("GET", path, "")?.status, 404, "{path}");
    }
    Ok(())
}

#[test]
fn it_is_behind_the_same_password_as_the_api() -> Result<()> {
    let folder = RunFolder::create("ui")?;
    let users = folder.path().join("users.properties");
    std::fs::write(&users, "alice=wonderland\n")?;
    let jaas = folder.path().join("jaas.conf");
    let entry = format!(
        "KafkaConnect {{\n  org.apache.kafka.connect.rest.basic.auth.extension.\
         PropertyFileLoginModule required\n  file=\"{}\";\n}};\n",
        users.display()
    );
    std::fs::write(&jaas, entry)?;
    let extension =
        "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
    let options = WorkerOptions::new(&unique("ui"), &shared::bootstrap()?)?
        .property("rest.extension.classes", extension)
        .property(
            "rest.basic.auth.jaas.config.file",
            jaas.display().to_string(),
        );
    let (first, second) = (
        WorkerProcess::distributed(&options)?,
        WorkerProcess::distributed(&options.clone().property("listeners", free_listener()?))?,
    );
    for path in PATHS {
        assert_eq!(
            http::get(&format!("{}{path}", first.url()))?.status,
            401,
            "{path}"
        );
    }
    let known = first.url().replace("http://", "http://alice:wonderland@");
    let page = Page::open(&known)?;
    page.shows(".empty", "no connectors")?;
    page.go("#/workers")?;
    // The password goes along to the other workers.
    for worker in [&first, &second] {
        page.shows(&format!("[data-worker='{}']", worker.address()), "MiB")?;
    }
    page.is_calm()
}

fn free_listener() -> Result<String> {
    Ok(format!(
        "http://127.0.0.1:{}",
        tether_services::port::free()?
    ))
}
