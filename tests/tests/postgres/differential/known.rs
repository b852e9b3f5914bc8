//! The table of deliberate differences in docs/compatibility.md.

use anyhow::{Context, Result, ensure};
use tether_services::folders;

use super::compare::Difference;

const BEGIN: &str = "<!-- postgres differences: begin -->";
const END: &str = "<!-- postgres differences: end -->";

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: String,
    variants: String,
    paths: String,
    /// What the reference has there; `None` if that is different from place to place.
    reference: Option<String>,
}

impl Known {
    /// Whether it is this difference.
    pub(super) fn is(&self, difference: &Difference) -> bool {
        let reference = self.reference.as_ref();
        matches(&self.variants, difference.variant)
            && matches(&self.paths, &difference.path)
            && reference.is_none_or(|reference| *reference == difference.reference)
    }
}

/// All rows.
pub(super) fn read() -> Result<Vec<Known>> {
    let file = folders::checkout().join("docs").join("compatibility.md");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (_, rest) = text.split_once(BEGIN).context("the table has no begin")?;
    let (table, _) = rest.split_once(END).context("the table has no end")?;
    let rows = table.trim().lines().skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, variants, paths, reference, ours, reason] = cells[..] else {
            anyhow::bail!("it has not six cells: {row}");
        };
        ensure!(
            [reference, ours, reason]
                .iter()
                .all(|cell| !cell.is_empty()),
            "a cell is empty: {row}"
        );
        let code = |cell: &str| cell.trim_matches('`').to_owned();
        Ok(Known {
            id: code(id),
            variants: code(variants),
            paths: code(paths),
            reference: reference.starts_with('`').then(|| code(reference)),
        })
    })
    .collect()
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    (0..=rest.len())
        .filter(|at| rest.is_char_boundary(*at))
        .any(|at| matches(after, &rest[at..]))
}

#[test]
fn stars_stand_for_anything() {
    assert!(matches("*", ""));
    assert!(matches("a.*.c", "a.b.x.c"));
    assert!(!matches("a.*.c", "a.b.c.d"));
}
