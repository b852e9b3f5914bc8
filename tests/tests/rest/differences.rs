//! The table of deliberate differences in docs/compatibility.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use tether_services::folders;

use super::compare::Aspect;

const BEGIN: &str = "<!-- rest differences: begin -->";
const END: &str = "<!-- rest differences: end -->";

/// A deliberate difference.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    /// Where answers differ.
    pub(super) aspects: BTreeSet<Aspect>,
    /// The status of the reference, if the table begins with one.
    pub(super) reference: Option<u16>,
    /// The same for ours.
    pub(super) ours: Option<u16>,
}

/// All differences by id.
pub(super) fn read() -> Result<BTreeMap<String, Difference>> {
    let file = folders::checkout().join("docs").join("compatibility.md");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (_, rest) = text.split_once(BEGIN).context("the table has no begin")?;
    let (table, _) = rest.split_once(END).context("the table has no end")?;
    let mut found = BTreeMap::new();
    let rows = table.trim().lines().skip(2);
    for row in rows {
        let (id, difference) = parse(row).with_context(|| format!("in the row {row}"))?;
        ensure!(
            found.insert(id.clone(), difference).is_none(),
            "{id} is there twice"
        );
    }
    Ok(found)
}

fn parse(row: &str) -> Result<(String, Difference)> {
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
    let [id, aspects, request, reference, ours, reason] = cells[..] else {
        anyhow::bail!("it has not six cells");
    };
    ensure!(!request.is_empty() && !reason.is_empty(), "a cell is empty");
    let aspects = aspects
        .split(", ")
        .map(|name| Aspect::from_name(name).with_context(|| format!("{name} cannot differ")))
        .collect::<Result<_>>()?;
    let status = |cell: &str| cell.get(..3)?.parse().ok();
    let difference = Difference {
        aspects,
        reference: status(reference),
        ours: status(ours),
    };
    Ok((id.trim_matches('`').to_owned(), difference))
}
