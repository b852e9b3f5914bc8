//! Text to instants.

use super::Century;
use super::fields::{Field, Fields};
use super::names::{DAYS, ERAS, HALVES_OF_DAY, LONG_ERAS, MONTHS, find, numbered, short};
use super::pattern::{Item, Letter};
use super::zone;

/// The instant that begins a text.
pub(super) fn parse(items: &[Item], text: &str, century: Century) -> Option<i64> {
    let mut parser = Parser {
        text,
        position: 0,
        fields: Fields::default(),
        ambiguous: false,
        century,
    };
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Literal(literal) => {
                let rest = text.get(parser.position..)?;
                rest.strip_prefix(&**literal)?;
                parser.position += literal.len();
            }
            Item::Field(letter, count) => {
                let digits_follow = matches!(
                    items.get(index + 1),
                    Some(Item::Field(next, count)) if next.is_number(*count)
                );
                parser.field(*letter, *count, digits_follow)?;
            }
        }
    }
    // Java takes a position that has not moved for a failure.
    if parser.position == 0 {
        return None;
    }
    let instant = parser.fields.instant()?;
    if parser.ambiguous && instant < century.millis {
        parser.fields.add_years(100);
        return parser.fields.instant();
    }
    Some(instant)
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    fields: Fields,
    /// Whether a year of two digits is the one in which the century begins.
    ambiguous: bool,
    century: Century,
}

impl Parser<'_> {
    fn field(&mut self, letter: Letter, count: usize, digits_follow: bool) -> Option<()> {
        let start = self.position;
        let rest = self.text.get(start..)?;
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let actual = start + blank;
        if actual == self.text.len() {
            return None;
        }
        if letter.is_number(count) {
            return self.number(letter, count, start, actual, digits_follow);
        }
        // As in Java, white space before a name is not passed over.
        match letter {
            Letter::Month | Letter::MonthAlone => self.name(
                Field::Month,
                numbered(&MONTHS)
                    .chain(numbered(&MONTHS).map(|(index, name)| (index, short(name)))),
            ),
            Letter::Era => self.name(Field::Era, numbered(&ERAS).chain(numbered(&LONG_ERAS))),
            Letter::DayName => {
                let days = || numbered(&DAYS).map(|(index, name)| (index + 1, name));
                let short = days().map(|(index, name)| (index, short(name)));
                self.name(Field::DayOfWeek, days().chain(short))
            }
            Letter::HalfOfDay => self.name(Field::HalfOfDay, numbered(&HALVES_OF_DAY)),
            Letter::IsoZone => {
                let found = zone::iso(self.text, actual, count)?;
                self.zone(found);
                Some(())
            }
            _ => {
                let found = zone::named(self.text, start, actual)?;
                self.zone(found);
                Some(())
            }
        }
    }

    fn zone(&mut self, (minutes, position): (i32, usize)) {
        self.fields.set_zone(minutes);
        self.position = position;
    }

    fn name(
        &mut self,
        field: Field,
        names: impl Iterator<Item = (i32, &'static str)>,
    ) -> Option<()> {
        let (index, length) = find(self.text, self.position, names)?;
        self.fields.set(field, index);
        self.position += length;
        Some(())
    }

    /// Reads a number. If digits of another field follow, it has no more
    /// characters than the field has letters.
    fn number(
        &mut self,
        letter: Letter,
        count: usize,
        start: usize,
        actual: usize,
        digits_follow: bool,
    ) -> Option<()> {
        let end = if digits_follow {
            let mut characters = self.text[start..].char_indices().skip(count - 1);
            let (last, character) = characters.next()?;
            start + last + character.len_utf8()
        } else {
            self.text.len()
        };
        let (value, length) = integer(self.text.get(actual..end)?)?;
        self.position = actual + length;
        let field = match letter {
            Letter::Year | Letter::WeekYear => {
                let text = &self.text[actual..self.position];
                let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                let value = if count <= 2 && two_digits {
                    self.year_of_two_digits(value)
                } else {
                    value
                };
                let field = if letter == Letter::Year {
                    Field::Year
                } else {
                    Field::WeekYear
                };
                self.fields.set(field, value);
                return Some(());
            }
            Letter::DayNumber => {
                self.fields.set_iso_day(value);
                return Some(());
            }
            Letter::Month | Letter::MonthAlone => {
                self.fields.set(Field::Month, value.wrapping_sub(1));
                return Some(());
            }
            Letter::Hour24From1 => {
                self.fields
                    .set(Field::Hour24, if value == 24 { 0 } else { value });
                return Some(());
            }
            Letter::Hour12From1 => {
                self.fields
                    .set(Field::Hour12, if value == 12 { 0 } else { value });
                return Some(());
            }
            Letter::WeekOfYear => Field::WeekOfYear,
            Letter::WeekOfMonth => Field::WeekOfMonth,
            Letter::DayOfYear => Field::DayOfYear,
            Letter::DayOfMonth => Field::DayOfMonth,
            Letter::DayOfWeekInMonth => Field::DayOfWeekInMonth,
            Letter::Hour24 => Field::Hour24,
            Letter::Hour12 => Field::Hour12,
            Letter::Minute => Field::Minute,
            Letter::Second => Field::Second,
            Letter::Millisecond => Field::Millisecond,
            _ => return None,
        };
        self.fields.set(field, value);
        Some(())
    }

    fn year_of_two_digits(&mut self, value: i32) -> i32 {
        let year = self.century.year as i32;
        self.ambiguous = value == year % 100;
        value + year / 100 * 100 + if value < year % 100 { 100 } else { 0 }
    }
}

/// The integer that begins a text and its length: of one that is too long the
/// lowest bits, or the end of the range, as in Java.
fn integer(text: &str) -> Option<(i32, usize)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return None;
    }
    let length = text.len() - digits.len() + count;
    let value = match text[..length].parse::<i64>() {
        Ok(number) => number as i32,
        Err(_) if text.starts_with('-') => i32::MIN,
        Err(_) => i32::MAX,
    };
    Some((value, length))
}
