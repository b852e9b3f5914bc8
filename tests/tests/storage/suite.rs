//! The suite of the storage crate, against real Kafka.

use anyhow::Result;
use tether_services::shared;
use tether_storage::suite::{Lasting, config_store, offset_store, status_store};
use tether_tests::names;

use super::runtime::runtime;
use super::stores::Stores;

#[test]
fn stores_on_kafka_do_what_all_stores_do() -> Result<()> {
    let stores = Stores::new(&shared::bootstrap()?, &names::unique("suite"))?;
    let runtime = runtime()?;
    runtime.block_on(config_store(async || stores.configs(), Lasting::Yes));
    runtime.block_on(offset_store(async || stores.offsets(), Lasting::Yes));
    runtime.block_on(status_store(async || stores.statuses(), Lasting::Yes));
    Ok(())
}
