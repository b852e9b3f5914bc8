//! Any text as a regular expression, a replacement and what they are applied
//! to, a line each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_java_regex::Pattern;

fuzz_target!(|data: &str| {
    let mut lines = data.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (expression, replacement, text) = (line(), line(), line());
    for compile in [
        Pattern::whole,
        Pattern::whole_ignoring_case,
        Pattern::anywhere,
    ] {
        match compile(expression) {
            Ok(pattern) => {
                let _ = pattern.matches(text);
                let _ = pattern.replace_first(text, replacement);
            }
            Err(error) => drop(error.to_string()),
        }
    }
});
