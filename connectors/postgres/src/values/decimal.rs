//! Exact numbers.

use num_bigint::BigInt;
use tether_api::data::{Bytes, Decimal, SchemaRef, Struct, Text, Value};

use super::conversion::{Misfit, Route};
use super::number;

/// What a number becomes.
#[derive(Debug, Clone, Copy)]
pub(super) enum DecimalForm {
    /// Connect's decimal of this scale.
    Fixed(i32),
    /// A struct of a scale and an unscaled number.
    Variable,
    /// 64-bit floating point.
    Double,
    /// Plain text, of this scale if there is one.
    String(Option<i32>),
}

/// The number in the server's text: a sign, digits and digits of a fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
}

/// Digits that always fit 64 bits.
const SMALL: usize = 18;

/// The scale of a hostile number ends here; the driver's largest is 2047.
const LARGEST_SCALE: usize = 65_535;

impl<'a> Number<'a> {
    /// Reads a number without an exponent, which the server never writes.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (integer, fraction) = match memchr::memchr(b'.', digits) {
            Some(point) => (&digits[..point], &digits[point + 1..]),
            None => (digits, &digits[digits.len()..]),
        };
        let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        (integer.len() + fraction.len() > 0 && all_digits(integer) && all_digits(fraction))
            .then_some(Self {
                negative,
                integer,
                fraction,
            })
    }

    /// The digits after the point.
    fn scale(self) -> usize {
        self.fraction.len()
    }

    /// The same number without zeros at the end of its fraction.
    fn stripped(self) -> Self {
        let zeros = self
            .fraction
            .iter()
            .rev()
            .take_while(|digit| **digit == b'0');
        let kept = self.fraction.len() - zeros.count();
        Self {
            fraction: &self.fraction[..kept],
            ..self
        }
    }

    /// The number times ten to the power of its scale and of `zeros`.
    fn unscaled(self, zeros: usize) -> Option<BigInt> {
        if let Some(small) = self.small(zeros) {
            return Some(BigInt::from(small));
        }
        let count = self.integer.len() + self.fraction.len() + zeros;
        let mut all: Vec<u8> = Vec::with_capacity(count);
        all.extend(self.integer.iter().chain(self.fraction));
        all.resize(count, b'0');
        let magnitude = BigInt::parse_bytes(&all, 10)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The same, if it has so few digits that it fits 64 bits for sure.
    fn small(self, zeros: usize) -> Option<i64> {
        if self.integer.len() + self.fraction.len() + zeros > SMALL {
            return None;
        }
        let digits = self.integer.iter().chain(self.fraction);
        let digits = digits.chain(std::iter::repeat_n(&b'0', zeros));
        let magnitude = digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// With this scale; `None` if digits would be lost.
    pub(super) fn with_scale(self, scale: i32) -> Option<Decimal> {
        let wanted = usize::try_from(scale)
            .ok()
            .filter(|scale| *scale <= LARGEST_SCALE)?;
        let number = if self.scale() > wanted {
            self.stripped_to(wanted)?
        } else {
            self
        };
        let zeros = wanted - number.scale();
        Some(match number.small(zeros) {
            Some(unscaled) => Decimal::from_i64(unscaled, scale),
            None => Decimal::new(number.unscaled(zeros)?, scale),
        })
    }

    fn stripped_to(self, scale: usize) -> Option<Self> {
        let (kept, lost) = self.fraction.split_at_checked(scale)?;
        lost.iter().all(|digit| *digit == b'0').then_some(Self {
            fraction: kept,
            ..self
        })
    }

    /// With this scale, rounded half up, as `money` is.
    pub(super) fn rounded(self, scale: i32) -> Option<Decimal> {
        let wanted = usize::try_from(scale)
            .ok()
            .filter(|scale| *scale <= LARGEST_SCALE)?;
        let Some((kept, lost)) = self.fraction.split_at_checked(wanted) else {
            return self.with_scale(scale);
        };
        let kept = Self {
            fraction: kept,
            ..self
        };
        let mut unscaled = kept.unscaled(0)?;
        if lost.first().is_some_and(|digit| *digit >= b'5') {
            unscaled += if self.negative { -1 } else { 1 };
        }
        Some(Decimal::new(unscaled, scale))
    }

    /// As it is.
    pub(super) fn exact(self) -> Option<Decimal> {
        self.with_scale(i32::try_from(self.scale()).ok()?)
    }
}

impl DecimalForm {
    /// The value of a number's text.
    pub(super) fn value(
        self,
        text: &Bytes,
        schema: &SchemaRef,
        route: Route,
    ) -> Result<Value, Misfit> {
        if let Some(special) = Special::of(text) {
            if route == Route::Element {
                // The driver has no decimal for it.
                return Err(Misfit::SpecialNumber);
            }
            return special.value(self, route);
        }
        let number = Number::parse(text).ok_or(Misfit::Text)?;
        match self {
            Self::Fixed(scale) => number
                .with_scale(scale)
                .map(Value::from)
                .ok_or(Misfit::Text),
            Self::Variable => {
                let number = number.stripped();
                let unscaled = number.unscaled(0).ok_or(Misfit::Text)?;
                variable(schema, &unscaled, number.scale() as i32)
            }
            Self::Double => number::double(text).map(Value::Float64).ok_or(Misfit::Text),
            Self::String(scale) => match scale {
                Some(scale) if usize::try_from(scale) != Ok(number.scale()) => number
                    .with_scale(scale)
                    .and_then(|number| number.to_plain_string(usize::MAX))
                    .map(Value::from)
                    .ok_or(Misfit::Text),
                // The server writes plain text itself.
                _ => Ok(Value::String(super::conversion::utf8(text)?)),
            },
        }
    }

    /// What a number becomes that may not be null and is.
    pub(super) fn fallback(self, schema: &SchemaRef) -> Value {
        match self {
            Self::Fixed(scale) => Decimal::new(0, scale).into(),
            Self::Variable => variable(schema, &BigInt::ZERO, 0).unwrap_or_default(),
            Self::Double => Value::Float64(0.0),
            Self::String(scale) => {
                let zero = Decimal::new(0, scale.unwrap_or_default());
                zero.to_plain_string(usize::MAX).into()
            }
        }
    }
}

fn variable(schema: &SchemaRef, unscaled: &BigInt, scale: i32) -> Result<Value, Misfit> {
    let bytes = Bytes::from(unscaled.to_signed_bytes_be());
    let values = vec![Value::Int32(scale), Value::Bytes(bytes)];
    Struct::from_values(schema.clone(), values)
        .map(Value::from)
        .map_err(|_| Misfit::Text)
}

/// Numbers that are none.
#[derive(Debug, Clone, Copy)]
enum Special {
    NaN,
    Infinity,
    NegativeInfinity,
}

impl Special {
    fn of(text: &[u8]) -> Option<Self> {
        match text {
            b"NaN" => Some(Self::NaN),
            b"Infinity" => Some(Self::Infinity),
            b"-Infinity" => Some(Self::NegativeInfinity),
            _ => None,
        }
    }

    fn value(self, form: DecimalForm, route: Route) -> Result<Value, Misfit> {
        match form {
            DecimalForm::String(_) if route == Route::Correct => Ok(match self {
                Self::NaN => "NaN",
                Self::Infinity => "Infinity",
                Self::NegativeInfinity => "-Infinity",
            }
            .into()),
            DecimalForm::Fixed(_) | DecimalForm::Variable => Err(Misfit::SpecialNumber),
            DecimalForm::Double => Ok(Value::Float64(match self {
                Self::NaN => f64::NAN,
                Self::Infinity => f64::INFINITY,
                Self::NegativeInfinity => f64::NEG_INFINITY,
            })),
            DecimalForm::String(_) => Ok(Value::String(Text::from_static(match self {
                Self::NaN => "NAN",
                Self::Infinity => "POSITIVE_INFINITY",
                Self::NegativeInfinity => "NEGATIVE_INFINITY",
            }))),
        }
    }
}
