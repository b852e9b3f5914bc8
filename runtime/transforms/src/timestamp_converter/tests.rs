use tether_api::config::ConfigMap;
use tether_api::data::{Schema, Type};

use super::*;

fn converter(config: &[(&str, &str)]) -> Result<TimestampConverter> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config: ConfigMap = config.iter().map(owned).collect();
    let config = TimestampConverter::config_def().parse(&config)?;
    TimestampConverter::new(&config, Part::Value)
}

#[test]
fn texts_need_a_pattern() {
    let error = converter(&[("target.type", "string")]).err().unwrap();
    assert!(error.message().contains("format"), "{error}");
    let mut converter = converter(&[("target.type", "unix")]).unwrap();
    let record = ConnectRecord::new("t").value(None, "2024");
    let error = converter.apply(record).unwrap_err();
    assert!(error.message().contains("format"), "{error}");
}

#[test]
fn far_dates_are_refused() {
    let mut converter = converter(&[("target.type", "Date")]).unwrap();
    let schema = Schema::primitive(Type::Int64, false);
    let record = ConnectRecord::new("t").value(Some(schema), i64::MAX);
    assert!(converter.apply(record).is_err());
}
