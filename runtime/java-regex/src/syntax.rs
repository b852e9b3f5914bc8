//! Mistakes in expressions, in the words of `java.util.regex.Pattern`.

use crate::Error;

/// Finds the mistakes that are made most: groups, classes and repetitions that
/// are not closed or repeat nothing. Expressions with rarer syntax are not
/// looked at; the regex engine has its own words for what is wrong there.
///
/// # Errors
/// The first mistake.
pub(super) fn check(expression: &str) -> Result<(), Error> {
    match (Scanner {
        chars: expression.chars().collect(),
        at: 0,
        depth: 0,
        repeatable: false,
    })
    .scan()
    {
        Err(Stop::Mistake { reason, index }) => {
            Err(Error::Syntax(message(expression, &reason, index)))
        }
        Err(Stop::Unknown) | Ok(()) => Ok(()),
    }
}

/// `PatternSyntaxException.getMessage`: the reason, the place as a number of
/// code points, the expression, and a mark below the place.
fn message(expression: &str, reason: &str, index: Option<usize>) -> String {
    let mut message = reason.to_owned();
    if let Some(index) = index {
        message.push_str(&format!(" near index {index}"));
    }
    message.push('\n');
    message.push_str(expression);
    if let Some(index) = index
        && index < expression.encode_utf16().count()
    {
        message.push('\n');
        message.extend(std::iter::repeat_n(' ', index));
        message.push('^');
    }
    message
}

/// Why scanning ends early.
enum Stop {
    /// There is a mistake.
    Mistake {
        reason: String,
        index: Option<usize>,
    },
    /// There is syntax that the scanner does not know.
    Unknown,
}

fn mistake<T>(reason: impl Into<String>, index: impl Into<Option<usize>>) -> Result<T, Stop> {
    Err(Stop::Mistake {
        reason: reason.into(),
        index: index.into(),
    })
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    /// How many groups are open.
    depth: usize,
    /// Whether something is before `at` that can be repeated.
    repeatable: bool,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_if(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        self.at += usize::from(found);
        found
    }

    fn scan(mut self) -> Result<(), Stop> {
        while let Some(c) = self.peek() {
            let begin = self.at;
            self.at += 1;
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' if self.depth == 0 => {
                    return mistake("Unmatched closing ')'", begin.checked_sub(1));
                }
                ')' => {
                    self.depth -= 1;
                    self.repeatable = true;
                }
                '|' => self.repeatable = false,
                '*' | '+' | '?' if !self.repeatable => {
                    return mistake(format!("Dangling meta character '{c}'"), begin);
                }
                '*' | '+' | '?' => self.repeated(),
                '{' => self.counted()?,
                _ => self.repeatable = true,
            }
        }
        match self.depth {
            0 => Ok(()),
            _ => mistake("Unclosed group", self.chars.len()),
        }
    }

    /// After a repetition: how greedy it is.
    fn repeated(&mut self) {
        self.skip_if(|c| matches!(c, '+' | '?'));
        self.repeatable = false;
    }

    /// After a backslash.
    fn escape(&mut self) -> Result<(), Stop> {
        match self.peek() {
            // Quotes shift places.
            None | Some('Q' | 'E') => return Err(Stop::Unknown),
            Some('p' | 'P' | 'x' | 'N') => {
                self.at += 1;
                if self.skip_if(|c| c == '{') {
                    while !self.skip_if(|c| c == '}') {
                        if !self.skip_if(|_| true) {
                            return Err(Stop::Unknown);
                        }
                    }
                }
            }
            Some(_) => self.at += 1,
        }
        self.repeatable = true;
        Ok(())
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), Stop> {
        self.skip_if(|c| c == '^');
        let mut empty = true;
        loop {
            let Some(c) = self.peek() else {
                return mistake("Unclosed character class", self.chars.len() - 1);
            };
            self.at += 1;
            match c {
                ']' if !empty => break,
                '[' => self.class()?,
                '\\' => self.escape()?,
                '&' => return Err(Stop::Unknown),
                _ => {}
            }
            empty = false;
        }
        self.repeatable = true;
        Ok(())
    }

    /// After `(`.
    fn group(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        self.repeatable = false;
        if !self.skip_if(|c| c == '?') {
            return Ok(());
        }
        if self.skip_if(|c| matches!(c, ':' | '=' | '!' | '>')) {
            return Ok(());
        }
        if self.skip_if(|c| c == '<') {
            if self.skip_if(|c| matches!(c, '=' | '!')) {
                return Ok(());
            }
            while self.skip_if(|c| c.is_ascii_alphanumeric()) {}
            return match self.skip_if(|c| c == '>') {
                true => Ok(()),
                false => Err(Stop::Unknown),
            };
        }
        // Flags, of which `x` would change the meaning of blanks.
        while self.skip_if(|c| matches!(c, 'i' | 'd' | 'm' | 's' | 'u' | 'U' | '-')) {}
        if self.skip_if(|c| c == ')') {
            self.depth -= 1;
            return Ok(());
        }
        match self.skip_if(|c| c == ':') {
            true => Ok(()),
            false => Err(Stop::Unknown),
        }
    }

    /// After `{`.
    fn counted(&mut self) -> Result<(), Stop> {
        if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return mistake("Illegal repetition", self.at);
        }
        if !self.repeatable {
            return Err(Stop::Unknown);
        }
        let least = self.number()?;
        let most = match self.skip_if(|c| c == ',') {
            true if self.peek() == Some('}') => usize::MAX,
            true => self.number()?,
            false => least,
        };
        if self.peek() != Some('}') {
            return mistake("Unclosed counted closure", self.at);
        }
        if most < least {
            return mistake("Illegal repetition range", self.at);
        }
        self.at += 1;
        self.repeated();
        Ok(())
    }

    /// Digits as a number; no digits are 0.
    fn number(&mut self) -> Result<usize, Stop> {
        let mut number = 0_usize;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            number = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(digit as usize))
                .ok_or(Stop::Unknown)?;
        }
        Ok(number)
    }
}
