//! Variables in configurations, and the providers that resolve them.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::Strategy;
use serde_json::json;
use tether_api::config::ConfigMap;
use tether_reference_tests::{Outcome, ask};
use tether_worker::config_provider::VariableResolver;

use crate::cases::generate;

/// How many texts are compared.
const CASES: usize = 400;

const PROVIDERS: [(&str, &str); 3] = [
    (
        "file",
        "org.apache.kafka.common.config.provider.FileConfigProvider",
    ),
    (
        "dir",
        "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
    ),
    (
        "env",
        "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    ),
];

/// What texts are made of: whole variables, broken ones and their parts. `{}` is
/// a folder.
const PIECES: &[&str] = &[
    "${file:{}/a.properties:user}",
    "${file:{}/a.properties:pass word}",
    "${file:{}/a.properties:missing}",
    "${file:{}/a.properties:nested}",
    "${file:{}/a.properties:a:b}",
    "${file:{}/a.properties:}",
    "${file:user}",
    "${dir:{}:secret}",
    "${dir:{}:none}",
    "${dir:{}:folder}",
    "${dir:secret}",
    "${env:TETHER_SURELY_UNSET}",
    "${env:x:PATH}",
    "${other:a}",
    "${:a}",
    "${a}",
    "${}",
    "${",
    "}",
    "$",
    "{",
    ":",
    " ",
    "\n",
    "file",
    "text",
    "\u{e9}\u{1f600}",
];

fn prepare(folder: &Path) {
    let properties = "user=me\npass\\ word = s3 cret \nnested=${file:x:y}\na\\:b=colon\n\
                      uni=\\u00e9\n! comment\nlong=a\\\n   b\nempty\n";
    fs::write(folder.join("a.properties"), properties).unwrap();
    fs::write(folder.join("secret"), "with a line\n").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
}

#[test]
fn variables_resolve_as_in_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut properties: ConfigMap = PROVIDERS
        .iter()
        .map(|(name, class)| {
            (
                format!("config.providers.{name}.class"),
                (*class).to_owned(),
            )
        })
        .collect();
    properties.insert("config.providers".to_owned(), "file,dir,env".to_owned());
    let resolver = VariableResolver::new(&properties).unwrap();
    let providers: serde_json::Value = PROVIDERS
        .iter()
        .map(|(name, class)| ((*name).to_owned(), json!(class)))
        .collect();

    let path = folder.path().display().to_string();
    let texts = vec(select(PIECES), 1..7).prop_map(|pieces| pieces.concat());
    let mut cases: Vec<String> = PIECES.iter().map(|piece| (*piece).to_owned()).collect();
    for key in ["uni", "long", "empty"] {
        cases.push(format!("${{file:{{}}/a.properties:{key}}}"));
    }
    cases.extend(generate(&texts, CASES));
    let mut differences = Vec::new();
    for case in cases {
        let text = case.replace("{}", &path);
        let question = json!({"op": "resolve", "providers": providers, "text": text});
        let reference = ask(&question, |answer| {
            Ok(answer["text"].as_str().unwrap_or_default().to_owned())
        });
        let config = [("key".to_owned(), text.clone())].into_iter().collect();
        let ours = resolver
            .resolve(&config)
            .map(|config| config["key"].clone());
        let theirs = match (reference.unwrap(), &ours) {
            (Outcome::Returned(reference), Ok(ours)) if reference == *ours => continue,
            (Outcome::Failed { .. }, Err(_)) => continue,
            (Outcome::Returned(reference), _) => reference,
            (Outcome::Failed { message, .. }, _) => message,
        };
        differences.push(format!("{text:?}: {theirs:?} became {ours:?}"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
