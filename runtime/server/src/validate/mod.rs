//! `tether validate`: checks a connector configuration without a worker.

mod report;

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use tether_api::config::ConfigMap;
use tether_rest::validation_body;
use tether_worker::herder::ConfigInfos;
use tether_worker::validation::Validation;

use crate::cli::ValidateArguments;
use crate::connector_file::{self, ConnectorFile};
use crate::exit::Failure;
use crate::plugins;
use crate::worker_setting::WorkerSetting;

/// Checks a configuration and prints what is wrong with it.
///
/// # Errors
/// Usage, if the file cannot be read or the configuration has errors; startup,
/// if the worker's configuration is wrong.
pub(crate) async fn run(arguments: ValidateArguments) -> Result<(), Failure> {
    let setting =
        WorkerSetting::read(arguments.worker.as_deref(), &[]).map_err(Failure::Startup)?;
    let file = connector_file::read(&arguments.file).map_err(Failure::Usage)?;
    let checked = check(&setting, &file).await.map_err(Failure::Usage)?;
    let errors = checked.error_count;
    let text = if arguments.json {
        let mut body = validation_body(checked)
            .context("Could not write the answer")
            .map_err(Failure::Usage)?;
        body.push(b'\n');
        body
    } else {
        report::report(&file, &checked).into_bytes()
    };
    std::io::stdout()
        .write_all(&text)
        .context("Could not write to standard output")
        .map_err(Failure::Usage)?;
    match errors {
        0 => Ok(()),
        errors => Err(Failure::Usage(anyhow!(
            "the configuration of connector '{}' has {errors} error(s)",
            file.name
        ))),
    }
}

async fn check(setting: &WorkerSetting, file: &ConnectorFile) -> Result<ConfigInfos> {
    let validation = Validation::new(Arc::new(plugins::all()), &setting.worker)?;
    let raw = to_raw(&file.config);
    Ok(validation.validate(&setting.variables, &raw).await?)
}

fn to_raw(config: &ConfigMap) -> tether_worker::herder::RawConfig {
    config
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect()
}
