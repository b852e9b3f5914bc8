//! Start commands that install plugins first.

use anyhow::Result;
use tether_services::process;

use super::image::Image;

#[test]
fn plugins_that_are_compiled_in_are_installed_already() -> Result<()> {
    let image = Image::new()?;
    let install = "confluent-hub install --no-prompt confluentinc/kafka-connect-jdbc:10.7.4 && tether plugins";
    let mut command = image.command("/docker-entrypoint.sh");
    command.args(["sh", "-c", install]);
    let plugins = process::output(command)?;
    assert!(
        plugins.contains("io.confluent.connect.jdbc.JdbcSinkConnector"),
        "{plugins}"
    );
    Ok(())
}

#[test]
fn plugins_that_are_not_there_cannot_be_installed() -> Result<()> {
    let image = Image::new()?;
    let name = "confluentinc/kafka-connect-s3:latest";
    let mut command = image.command("/usr/bin/confluent-hub");
    command.args(["install", "--no-prompt", name]);
    let error = process::output(command).expect_err("a connector that is not compiled in");
    assert!(
        error.to_string().contains("confluentinc/kafka-connect-s3"),
        "{error:#}"
    );
    Ok(())
}
