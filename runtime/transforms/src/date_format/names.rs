//! English names, as Java has them.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Sunday on.
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
pub(super) const ERAS: [&str; 2] = ["BC", "AD"];
pub(super) const LONG_ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];
pub(super) const HALVES_OF_DAY: [&str; 2] = ["AM", "PM"];

/// The short form of the name of a month or day.
pub(super) fn short(name: &'static str) -> &'static str {
    &name[..3]
}

/// Whether a text goes on, from a position, with a name in any case.
pub(super) fn is_at(text: &str, position: usize, name: &str) -> bool {
    let found = text.get(position..position + name.len());
    found.is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// The index of the longest of the names at a position, and its length.
pub(super) fn find<'a>(
    text: &str,
    position: usize,
    names: impl IntoIterator<Item = (i32, &'a str)>,
) -> Option<(i32, usize)> {
    names
        .into_iter()
        .filter(|(_, name)| is_at(text, position, name))
        .map(|(index, name)| (index, name.len()))
        .max_by_key(|(_, length)| *length)
}

/// The names with their indices.
pub(super) fn numbered(
    names: &'static [&'static str],
) -> impl Iterator<Item = (i32, &'static str)> {
    (0..).zip(names.iter().copied())
}
