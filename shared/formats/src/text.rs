//! Texts that stay where they were read.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use yoke::Yoke;

/// Bytes that something holds: memory that is neither moved nor changed.
pub type Holder = Box<dyn AsRef<[u8]> + Send + Sync>;

/// The text of a whole file: one of its own, or one in memory that was asked for otherwise.
pub struct Whole(Kept);

enum Kept {
    Own(String),
    Held(Yoke<&'static str, Holder>),
}

impl Whole {
    /// A text that `holder` holds, if `told` finds that its bytes are one; they are looked at
    /// once, and never copied.
    pub fn held(holder: Holder, told: impl FnOnce(&[u8]) -> Option<&str>) -> Option<Self> {
        let held = Yoke::try_attach_to_cart(holder, |holder| told(holder.as_ref()).ok_or(()));
        held.ok().map(|held| Self(Kept::Held(held)))
    }

    /// What it says.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Own(text) => text,
            Kept::Held(held) => held.get(),
        }
    }

    /// The same as a text that can be changed.
    #[must_use]
    pub fn into_string(self) -> String {
        match self.0 {
            Kept::Own(text) => text,
            Kept::Held(held) => (*held.get()).to_owned(),
        }
    }
}

impl Deref for Whole {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Whole {
    fn from(text: String) -> Self {
        Self(Kept::Own(text))
    }
}

impl Default for Whole {
    fn default() -> Self {
        Self::from(String::new())
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Whole {}

/// A text that nothing changes, often a part of the text of its file: lists are long, and
/// their texts are not copied.
#[derive(Clone)]
pub struct Text {
    whole: Arc<Whole>,
    start: u32,
    end: u32,
}

impl Text {
    /// A part of a text; a copy if it is none of it.
    pub(crate) fn part(whole: &Arc<Whole>, part: &str) -> Self {
        let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize);
        let place = start.and_then(|start| {
            let end = start.checked_add(part.len())?;
            let is_it = whole.get(start..end)?.as_ptr() == part.as_ptr();
            let place = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
            is_it.then_some(place)
        });
        match place {
            Some((start, end)) => Self {
                whole: Arc::clone(whole),
                start,
                end,
            },
            None => Self::from(part),
        }
    }

    /// What it says.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let place = self.start as usize..self.end as usize;
        self.whole.get(place).unwrap_or_default()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Text {
    /// Texts are of files, which have at most [`MAX_FILE_BYTES`](crate::files::MAX_FILE_BYTES);
    /// of one beyond 4 GiB the beginning would be left.
    fn from(text: String) -> Self {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self {
            whole: Arc::new(text.into()),
            start: 0,
            end,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from(String::new())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_in_their_text_and_others_are_copied() {
        let whole = Arc::new(Whole::from("घर जाओ\nठीक".to_owned()));
        let line = Text::part(&whole, whole.get(..16).unwrap());
        assert_eq!(line, "घर जाओ");
        let word = Text::part(&whole, line.trim_start_matches("घर "));
        assert_eq!((word.as_str(), word.start), ("जाओ", 7));
        let other = Text::part(&whole, "ठीक");
        assert_eq!(
            (other.as_str(), Arc::ptr_eq(&other.whole, &whole)),
            ("ठीक", false)
        );
        assert_eq!(Text::part(&whole, ""), Text::default());
    }

    #[test]
    fn texts_that_are_held_are_told_once_and_not_copied() {
        fn told(bytes: &[u8]) -> Option<&str> {
            std::str::from_utf8(bytes).ok()
        }
        let bytes = "घर जाओ".as_bytes().to_vec();
        let place = bytes.as_ptr();
        let whole = Whole::held(Box::new(bytes), told).unwrap();
        assert_eq!((whole.as_str(), whole.as_ptr()), ("घर जाओ", place));
        assert_eq!(whole, Whole::from("घर जाओ".to_owned()));
        assert_eq!(Whole::held(Box::new(*b"\xff"), told), None);
        let whole = Arc::new(whole);
        let word = Text::part(&whole, whole.get(..6).unwrap());
        drop(whole);
        assert_eq!((word.as_str(), word.as_ptr()), ("घर", place));
        assert_eq!(Arc::into_inner(word.whole).unwrap().into_string(), "घर जाओ");
    }
}
