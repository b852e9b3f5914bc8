//! Amounts of money.

use tether_api::data::{Bytes, Decimal, Value};

use super::conversion::Misfit;
use super::decimal::Number;
use super::number;
use crate::config::DecimalMode;

/// What an amount becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MoneyForm {
    /// `decimal.handling.mode`.
    pub(super) mode: DecimalMode,
    /// `money.fraction.digits`.
    pub(super) digits: i16,
}

impl MoneyForm {
    /// The value of an amount in the words of the server's locale, such as
    /// `-$1,234.56` or `($1,234.56)`: one sign of a currency before the number,
    /// commas between its digits.
    pub(super) fn value(self, text: &Bytes) -> Result<Value, Misfit> {
        let plain = plain(text).ok_or(Misfit::Text)?;
        let number = Number::parse(plain.as_bytes()).ok_or(Misfit::Text)?;
        match self.mode {
            DecimalMode::Precise => number.rounded(self.digits.into()).map(Value::from),
            DecimalMode::Double => number::double(plain.as_bytes()).map(Value::Float64),
            DecimalMode::String => number
                .exact()
                .and_then(|number| number.to_plain_string(usize::MAX))
                .map(Value::from),
        }
        .ok_or(Misfit::Text)
    }

    /// What an amount becomes that may not be null and is.
    pub(super) fn fallback(self) -> Value {
        let zero = Decimal::new(0, self.digits.into());
        match self.mode {
            DecimalMode::Precise => zero.into(),
            DecimalMode::Double => Value::Float64(0.0),
            DecimalMode::String => zero.to_plain_string(usize::MAX).into(),
        }
    }
}

/// The number alone.
fn plain(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let negative = text.starts_with(['-', '(']);
    let text = text.strip_prefix('-').or_else(|| {
        let text = text.strip_prefix('(').unwrap_or(text);
        Some(text.strip_suffix(')').unwrap_or(text))
    })?;
    let digits = match text.chars().next()? {
        first if first.is_numeric() || first == '.' => text,
        first => &text[first.len_utf8()..],
    };
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{}", digits.replace(',', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lose_their_currency() {
        let value = |text: &'static str, mode| {
            let form = MoneyForm { mode, digits: 2 };
            form.value(&Bytes::from_static(text.as_bytes())).ok()
        };
        let precise = |text| value(text, DecimalMode::Precise);
        assert_eq!(precise("$1,234.56"), Some(Decimal::new(123_456, 2).into()));
        assert_eq!(
            precise("-$1,234.56"),
            Some(Decimal::new(-123_456, 2).into())
        );
        assert_eq!(
            precise("($1,234.56)"),
            Some(Decimal::new(-123_456, 2).into())
        );
        assert_eq!(precise("€5"), Some(Decimal::new(500, 2).into()));
        assert_eq!(precise("1.995"), Some(Decimal::new(200, 2).into()));
        assert_eq!(
            value("$1,234.50", DecimalMode::String),
            Some("1234.50".into())
        );
        assert_eq!(
            value("-$0.25", DecimalMode::Double),
            Some(Value::Float64(-0.25))
        );
        assert_eq!(precise("kr 1"), None);
        assert_eq!(precise(""), None);
    }
}
