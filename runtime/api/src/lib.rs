//! What a connector author reads: data model, records, configuration, plugin traits.
