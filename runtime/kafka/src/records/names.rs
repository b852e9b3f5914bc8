//! Names of headers, shared among records.

use std::sync::Arc;

/// Names kept for sharing. Past these, names are made anew; a topic whose
/// header names all differ must not fill the memory.
const KEPT_NAMES: usize = 64;

/// Names that came before. They come in the same order with each record, so the
/// one after the last is mostly the right one.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: Vec<Arc<str>>,
    next: usize,
}

impl Names {
    /// A name; what is not UTF-8 in it is replaced, as in Java.
    pub(super) fn shared(&mut self, name: &[u8]) -> Arc<str> {
        let is_it = |kept: &Arc<str>| kept.as_bytes() == name;
        let index = match self.kept.get(self.next).filter(|kept| is_it(kept)) {
            Some(_) => Some(self.next),
            None => self.kept.iter().position(is_it),
        };
        if let Some(index) = index {
            self.next = (index + 1) % self.kept.len();
            return Arc::clone(&self.kept[index]);
        }
        let made: Arc<str> = Arc::from(String::from_utf8_lossy(name));
        if self.kept.len() < KEPT_NAMES {
            self.kept.push(Arc::clone(&made));
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_up_to_a_limit() {
        let mut names = Names::default();
        let first = names.shared(b"a");
        names.shared(b"b");
        assert!(Arc::ptr_eq(&first, &names.shared(b"a")));
        for index in 0..1000 {
            names.shared(format!("name-{index}").as_bytes());
        }
        assert_eq!(names.kept.len(), KEPT_NAMES);
        assert_eq!(&*names.shared(b"name-999"), "name-999");
        assert_eq!(&*names.shared(b"\xff"), "\u{fffd}");
    }
}
