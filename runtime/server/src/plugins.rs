//! Everything that is compiled into the binary, in one list.

use tether_api::plugin::PluginDescriptor;
use tether_worker::plugins::Plugins;

/// All plugins.
pub(crate) fn all() -> Plugins {
    with(Vec::new())
}

/// All plugins, and more that the program brings.
pub(crate) fn with(more: Vec<PluginDescriptor>) -> Plugins {
    Plugins::new(
        [
            tether_converters::plugins(),
            tether_transforms::plugins(),
            tether_debezium_transforms::plugins(),
            tether_connector_file::plugins(),
            tether_connector_rest::plugins(),
            tether_connector_jdbc::plugins(),
            tether_connector_postgres::plugins(),
            more,
        ]
        .concat(),
    )
}

/// The list for `tether plugins`: kind, class and version in columns.
pub(crate) fn table(plugins: &Plugins) -> String {
    let rows: Vec<[&str; 3]> = plugins
        .all()
        .iter()
        .map(|plugin| [plugin.kind().name(), plugin.class, plugin.version])
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (kinds, classes) = (width(0), width(1));
    rows.iter()
        .map(|[kind, class, version]| format!("{kind:kinds$}  {class:classes$}  {version}\n"))
        .collect()
}
