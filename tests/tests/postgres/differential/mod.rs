//! Both connectors side by side on one database: each variant of the configuration runs twice, in the
//! Java worker with Debezium and in ours, with a slot, a publication and a prefix of its own. All stream
//! the same changes, and their topics and offsets have to be the same.
//!
//! Differences on purpose are a table in `docs/compatibility.md`; one that is not in it fails the test,
//! and so does one that no longer shows.

mod avro;
mod cloud_event;
mod compare;
mod known;
mod normalize;
mod records;
mod scene;
mod script;
mod variant;
mod variants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::{Result, ensure};
use tether_tests::turns;

use compare::Difference;
use scene::Judged;

/// Variable with parts of names of variants: only these run.
const ONLY: &str = "TETHER_TEST_VARIANTS";
/// How many kinds of differences of a variant are shown.
const SHOWN: usize = 12;

#[test]
fn records_and_offsets_are_those_of_the_reference() -> Result<()> {
    let _turn = turns::take();
    let known = known::read()?;
    let (variants, all) = selected();
    let found = scene::differences(Judged::Ours, variants)?;
    let (expected, unexpected): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|difference| known.iter().any(|known| known.is(difference)));
    ensure!(unexpected.is_empty(), "{}", report(&unexpected));
    let gone: Vec<_> = known
        .iter()
        .filter(|known| !expected.iter().any(|difference| known.is(difference)))
        .map(|known| known.id.as_str())
        .collect();
    ensure!(!all || gone.is_empty(), "no longer differ: {gone:?}");
    Ok(())
}

/// The test itself is sound: the reference does not differ from itself.
#[cfg(feature = "soak")]
#[test]
fn the_reference_agrees_with_itself() -> Result<()> {
    let _turn = turns::take();
    let found = scene::differences(Judged::Reference, selected().0)?;
    ensure!(found.is_empty(), "{}", report(&found));
    Ok(())
}

/// The variants to run, and whether these are all.
fn selected() -> (Vec<variant::Variant>, bool) {
    let all = variants::all();
    let Ok(only) = std::env::var(ONLY) else {
        return (all, true);
    };
    let parts: Vec<&str> = only.split(',').collect();
    let wanted = all
        .into_iter()
        .filter(|variant| parts.iter().any(|part| variant.name.contains(part)));
    (wanted.collect(), false)
}

/// What differs, variant by variant: each kind of difference once, with its first example.
fn report(found: &[Difference]) -> String {
    let mut kinds: BTreeMap<&str, Vec<(&Difference, usize)>> = BTreeMap::new();
    for difference in found {
        let kinds = kinds.entry(difference.variant).or_default();
        let known = kinds
            .iter_mut()
            .find(|(kind, _)| kind.topic == difference.topic && kind.path == difference.path);
        match known {
            Some((_, count)) => *count += 1,
            None => kinds.push((difference, 1)),
        }
    }
    let variants: BTreeSet<_> = kinds.keys().collect();
    let mut text = format!("{} variants differ: {variants:?}\n", variants.len());
    for (variant, kinds) in &kinds {
        let _ = writeln!(text, "\n{variant}: {} kinds of differences", kinds.len());
        for (difference, count) in kinds.iter().take(SHOWN) {
            let _ = writeln!(text, "  {count} × {difference}");
        }
    }
    text
}

#[test]
fn names_of_variants_are_unique() {
    let names: Vec<_> = variants::all().iter().map(|variant| variant.name).collect();
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    // Prefixes have two digits.
    assert!(names.len() <= 100, "{}", names.len());
}
