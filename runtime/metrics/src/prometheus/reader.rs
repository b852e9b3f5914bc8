//! Reads the text for Prometheus, strictly, for tests.

use std::collections::BTreeMap;

/// A sample: name, labels by name, value.
pub type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// What a text says.
#[derive(Debug, Default, PartialEq)]
pub struct Exposition {
    /// Type and help of each family.
    pub families: BTreeMap<String, (String, String)>,
    /// The samples.
    pub samples: Samples,
}

impl Exposition {
    /// The value of a sample with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }
}

/// Reads a text.
///
/// # Errors
/// A sentence about the first line that is wrong: no such line, a name or escape
/// that is not allowed, a sample that comes twice or away from its family.
pub fn read(text: &str) -> Result<Exposition, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("The last line does not end".to_owned());
    }
    let mut read = Exposition::default();
    let mut family = String::new();
    for line in text.lines() {
        let wrong = |why: &str| Err(format!("{why}: {line}"));
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').ok_or("no help")?;
            family = name.to_owned();
            let entry = (String::new(), unescape(help, false)?);
            if read.families.insert(family.clone(), entry).is_some() {
                return wrong("The family is there already");
            }
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = kind.split_once(' ') else {
                return wrong("No type");
            };
            if name != family || !matches!(kind, "counter" | "gauge") {
                return wrong("A type that does not follow its help");
            }
            if let Some(entry) = read.families.get_mut(name) {
                entry.0 = kind.to_owned();
            }
        } else {
            let (name, labels, value) = sample(line)?;
            if name != family {
                return wrong("A sample away from its family");
            }
            if read.samples.insert((name, labels), value).is_some() {
                return wrong("The sample is there already");
            }
        }
    }
    Ok(read)
}

/// Reads the samples of a text and passes over the rest. A sample that comes twice
/// counts once.
///
/// # Errors
/// A sentence about the first sample that is wrong.
pub fn samples(text: &str) -> Result<Samples, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| sample(line).map(|(name, labels, value)| ((name, labels), value)))
        .collect()
}

fn sample(line: &str) -> Result<(String, BTreeMap<String, String>, f64), String> {
    let end = line
        .find(['{', ' '])
        .ok_or_else(|| format!("No value: {line}"))?;
    let (name, rest) = line.split_at(end);
    check_name(name, true)?;
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or("A label has no value")?;
            check_name(label, false)?;
            let end = closing_quote(after).ok_or("A label does not end")?;
            let (value, after) = after.split_at(end);
            let known = labels.insert(label.to_owned(), unescape(value, true)?);
            if known.is_some() {
                return Err(format!("A label comes twice: {line}"));
            }
            match after.get(1..2) {
                Some(",") => rest = after.get(2..).unwrap_or_default(),
                Some("}") => {
                    rest = after.get(2..).unwrap_or_default();
                    break;
                }
                _ => return Err(format!("Labels do not end: {line}")),
            }
        }
    }
    let value = rest
        .strip_prefix(' ')
        .ok_or_else(|| format!("No space before the value: {line}"))?;
    let value = match value {
        "NaN" => f64::NAN,
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        value => value.parse().map_err(|_| format!("No number: {line}"))?,
    };
    Ok((name.to_owned(), labels, value))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let closes = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn check_name(name: &str, colons: bool) -> Result<(), String> {
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric() || character == '_' || (colons && character == ':')
    };
    let starts_well = name.starts_with(|first: char| !first.is_ascii_digit());
    if starts_well && name.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(format!("{name} is no name"))
    }
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        plain.push(match characters.next() {
            Some('n') => '\n',
            Some('\\') => '\\',
            Some('"') if quotes => '"',
            _ => return Err(format!("A wrong escape: {text}")),
        });
    }
    Ok(plain)
}
