//! Patterns of letters, such as `yyyy-MM-dd'T'HH:mm`.

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Text as it is.
    Literal(String),
    /// So many of a letter.
    Field(Letter, usize),
}

/// What a letter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    Era,
    Year,
    WeekYear,
    Month,
    MonthAlone,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayName,
    DayNumber,
    HalfOfDay,
    /// 0 to 23.
    Hour24,
    /// 1 to 24.
    Hour24From1,
    /// 0 to 11.
    Hour12,
    /// 1 to 12.
    Hour12From1,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    ZoneOffset,
    IsoZone,
}

impl Letter {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            'M' => Self::Month,
            'L' => Self::MonthAlone,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'D' => Self::DayOfYear,
            'd' => Self::DayOfMonth,
            'F' => Self::DayOfWeekInMonth,
            'E' => Self::DayName,
            'u' => Self::DayNumber,
            'a' => Self::HalfOfDay,
            'H' => Self::Hour24,
            'k' => Self::Hour24From1,
            'K' => Self::Hour12,
            'h' => Self::Hour12From1,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Millisecond,
            'z' => Self::ZoneName,
            'Z' => Self::ZoneOffset,
            'X' => Self::IsoZone,
            _ => return None,
        })
    }

    /// Whether so many of the letter are digits. A field before them has to
    /// leave them theirs.
    pub(super) fn is_number(self, count: usize) -> bool {
        match self {
            Self::Month | Self::MonthAlone => count <= 2,
            Self::Era
            | Self::DayName
            | Self::HalfOfDay
            | Self::ZoneName
            | Self::ZoneOffset
            | Self::IsoZone => false,
            _ => true,
        }
    }
}

/// Takes a pattern apart.
///
/// # Errors
/// What is wrong with it, in Java's words.
pub(super) fn compile(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut chars = pattern.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.next_if_eq(&'\'').is_some() {
                push_literal(&mut items, '\'');
            } else {
                quoted = !quoted;
            }
        } else if quoted || !c.is_ascii_alphabetic() {
            push_literal(&mut items, c);
        } else {
            let letter = Letter::of(c).ok_or_else(|| format!("Illegal pattern character '{c}'"))?;
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            if letter == Letter::IsoZone && count > 3 {
                return Err(format!("invalid ISO 8601 format: length={count}"));
            }
            items.push(Item::Field(letter, count));
        }
    }
    if quoted {
        return Err("Unterminated quote".to_owned());
    }
    Ok(items)
}

fn push_literal(items: &mut Vec<Item>, c: char) {
    match items.last_mut() {
        Some(Item::Literal(text)) => text.push(c),
        _ => items.push(Item::Literal(c.into())),
    }
}
