//! Of a JSON text only what is wanted, while it arrives.
//!
//! A listing of batches carries whatever the batches of others carry, such as
//! 33 MB of answers to one that was made inline. [`Sieve`] is fed the pieces of
//! a body as they come and keeps a small JSON text of the members that are
//! wanted; nothing else is ever held. What it drops it does not judge, beyond
//! that quotes and brackets must add up; what it keeps is judged where it is
//! read.

/// What of a value is kept.
#[derive(Debug)]
pub(super) enum Keep {
    /// A text, number, truth value or null. An object or a list becomes an
    /// empty one, a text that is too long the number 0: present, and of a type
    /// that is expected nowhere.
    Scalar,
    /// Members of an object, by name. `others` are kept as null: that they were
    /// there can be seen.
    Members {
        names: &'static [(&'static str, &'static Keep)],
        others: bool,
    },
    /// Each element of a list.
    Each(&'static Keep),
}

/// Longest text that is kept, in bytes as it is written.
const MAX_TEXT: usize = 16 * 1024;

/// Most that is kept of one body.
const MAX_KEPT: usize = 4 * 1024 * 1024;

/// Deepest nesting. More is what a parser would refuse as well.
const MAX_DEPTH: usize = 512;

/// Where in the text the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Before everything.
    Start,
    Value,
    /// After `[`.
    ValueOrEnd,
    Key,
    /// After `{`.
    KeyOrEnd,
    Colon,
    /// After a value inside something.
    After,
    /// Inside quotes; after a backslash the next byte means nothing.
    Text {
        key: bool,
        escaped: bool,
    },
    /// A number, `true`, `false` or `null`.
    Literal,
    /// After everything.
    Done,
}

/// An object or list that is open.
#[derive(Debug)]
struct Frame {
    list: bool,
    /// What of it is kept; `None` while it is dropped.
    keep: Option<&'static Keep>,
    /// What is kept of the next member's value.
    next: Option<&'static Keep>,
    /// Nothing of it was kept so far.
    empty: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sieve {
    root: &'static Keep,
    stack: Vec<Frame>,
    mode: Mode,
    /// The text or literal that is being read, as it is written.
    token: Vec<u8>,
    collects: bool,
    too_long: bool,
    kept: Vec<u8>,
}

/// Why a body can't be sifted.
type Broken = &'static str;

const NOT_JSON: Broken = "a body that is not JSON";

impl Sieve {
    /// For a body that must be an object.
    pub fn new(root: &'static Keep) -> Self {
        Self {
            root,
            stack: Vec::new(),
            mode: Mode::Start,
            token: Vec::new(),
            collects: false,
            too_long: false,
            kept: Vec::new(),
        }
    }

    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Broken> {
        let mut rest = piece;
        while let Some((&byte, after)) = rest.split_first() {
            match self.mode {
                Mode::Text { key, escaped } => {
                    rest = self.within_text(rest, key, escaped)?;
                    continue;
                }
                Mode::Literal if is_literal(byte) => self.collect(&[byte]),
                Mode::Literal => {
                    // The byte itself comes after it.
                    self.end_literal()?;
                    continue;
                }
                mode => self.mode = self.between(mode, byte)?,
            }
            rest = after;
        }
        Ok(())
    }

    /// What was kept of the whole.
    pub fn finish(self) -> Result<Vec<u8>, Broken> {
        match self.mode {
            Mode::Done => Ok(self.kept),
            Mode::Start => Err("an empty body"),
            _ => Err("a body that breaks off"),
        }
    }

    /// A byte outside of texts and literals; gives where that leads.
    fn between(&mut self, mode: Mode, byte: u8) -> Result<Mode, Broken> {
        let in_list = self.stack.last().is_some_and(|frame| frame.list);
        match (mode, byte) {
            (mode, b' ' | b'\t' | b'\n' | b'\r') => Ok(mode),
            (Mode::Start | Mode::Value | Mode::ValueOrEnd, b'{') => self.open(false),
            (Mode::Value | Mode::ValueOrEnd, b'[') => self.open(true),
            (Mode::Value | Mode::ValueOrEnd, b'"') => {
                let collects = matches!(self.wanted(), Some(Keep::Scalar));
                Ok(self.begin(
                    byte,
                    collects,
                    Mode::Text {
                        key: false,
                        escaped: false,
                    },
                ))
            }
            (Mode::Value | Mode::ValueOrEnd, byte) if is_literal(byte) => {
                let collects = self.wanted().is_some();
                Ok(self.begin(byte, collects, Mode::Literal))
            }
            (Mode::Key | Mode::KeyOrEnd, b'"') => {
                let collects = self.stack.last().is_some_and(|frame| frame.keep.is_some());
                Ok(self.begin(
                    byte,
                    collects,
                    Mode::Text {
                        key: true,
                        escaped: false,
                    },
                ))
            }
            (Mode::Colon, b':') => Ok(Mode::Value),
            (Mode::After, b',') if in_list => Ok(Mode::Value),
            (Mode::After, b',') => Ok(Mode::Key),
            (Mode::After, b']') if in_list => self.close(),
            (Mode::After, b'}') if !in_list => self.close(),
            (Mode::ValueOrEnd, b']') | (Mode::KeyOrEnd, b'}') => self.close(),
            _ => Err(NOT_JSON),
        }
    }

    /// What is kept of the value that comes now.
    fn wanted(&self) -> Option<&'static Keep> {
        match self.stack.last() {
            None => Some(self.root),
            Some(frame) if frame.list => match frame.keep {
                Some(Keep::Each(each)) => Some(each),
                _ => None,
            },
            Some(frame) => frame.next,
        }
    }

    fn begin(&mut self, byte: u8, collects: bool, mode: Mode) -> Mode {
        self.token.clear();
        self.collects = collects;
        self.too_long = false;
        self.collect(&[byte]);
        mode
    }

    fn collect(&mut self, bytes: &[u8]) {
        if !self.collects {
            return;
        }
        if self.token.len() + bytes.len() > MAX_TEXT {
            self.too_long = true;
            self.collects = false;
        } else {
            self.token.extend_from_slice(bytes);
        }
    }

    /// Reads on inside quotes; gives what comes behind what was read.
    fn within_text<'a>(
        &mut self,
        bytes: &'a [u8],
        key: bool,
        escaped: bool,
    ) -> Result<&'a [u8], Broken> {
        let plain = if escaped {
            1
        } else {
            let special = |byte: &u8| matches!(byte, b'"' | b'\\');
            bytes.iter().position(special).unwrap_or(bytes.len())
        };
        let (text, rest) = bytes.split_at(plain.min(bytes.len()));
        self.collect(text);
        let next = |escaped| Mode::Text { key, escaped };
        match rest.split_first() {
            _ if escaped => {
                self.mode = next(false);
                Ok(rest)
            }
            None => Ok(rest),
            Some((b'\\', rest)) => {
                self.collect(b"\\");
                self.mode = next(true);
                Ok(rest)
            }
            Some((_, rest)) => {
                self.collect(b"\"");
                self.mode = if key {
                    self.end_key()?
                } else {
                    self.end_text()?
                };
                Ok(rest)
            }
        }
    }

    fn end_text(&mut self) -> Result<Mode, Broken> {
        match self.wanted() {
            Some(Keep::Scalar) if !self.too_long => self.keep_token()?,
            Some(_) => self.keep_value(b"0")?,
            None => {}
        }
        Ok(Mode::After)
    }

    fn end_literal(&mut self) -> Result<(), Broken> {
        match self.wanted() {
            Some(_) if self.too_long => self.keep_value(b"0")?,
            Some(_) => self.keep_token()?,
            None => {}
        }
        self.mode = Mode::After;
        Ok(())
    }

    fn end_key(&mut self) -> Result<Mode, Broken> {
        let Some(frame) = self.stack.last_mut() else {
            return Err(NOT_JSON);
        };
        frame.next = None;
        let Some(Keep::Members { names, others }) = frame.keep else {
            return Ok(Mode::Colon);
        };
        let name = if self.too_long {
            None
        } else {
            Some(serde_json::from_slice::<String>(&self.token).map_err(|_| NOT_JSON)?)
        };
        let found = names
            .iter()
            .find(|(known, _)| Some(*known) == name.as_deref());
        frame.next = found.map(|(_, keep)| *keep);
        if frame.next.is_none() && !others {
            return Ok(Mode::Colon);
        }
        if !std::mem::replace(&mut frame.empty, false) {
            self.keep(b",")?;
        }
        let token = std::mem::take(&mut self.token);
        if self.too_long {
            self.keep(b"\"a long name\"")?;
        } else {
            self.keep(&token)?;
        }
        self.token = token;
        self.keep(b":")?;
        if found.is_none() {
            self.keep(b"null")?;
        }
        Ok(Mode::Colon)
    }

    fn open(&mut self, list: bool) -> Result<Mode, Broken> {
        if self.stack.len() >= MAX_DEPTH {
            return Err("a body that is nested too deeply");
        }
        let wanted = self.wanted();
        let fits = match wanted {
            Some(Keep::Members { .. }) => !list,
            Some(Keep::Each(_)) => list,
            Some(Keep::Scalar) | None => false,
        };
        match (wanted, fits, list) {
            (None, ..) => {}
            (_, true, true) => self.keep_value(b"[")?,
            (_, true, false) => self.keep_value(b"{")?,
            (_, false, true) => self.keep_value(b"[]")?,
            (_, false, false) => self.keep_value(b"{}")?,
        }
        self.stack.push(Frame {
            list,
            keep: wanted.filter(|_| fits),
            next: None,
            empty: true,
        });
        Ok(if list {
            Mode::ValueOrEnd
        } else {
            Mode::KeyOrEnd
        })
    }

    fn close(&mut self) -> Result<Mode, Broken> {
        let Some(frame) = self.stack.pop() else {
            return Err(NOT_JSON);
        };
        if frame.keep.is_some() {
            self.keep(if frame.list { b"]" } else { b"}" })?;
        }
        Ok(if self.stack.is_empty() {
            Mode::Done
        } else {
            Mode::After
        })
    }

    fn keep_token(&mut self) -> Result<(), Broken> {
        let token = std::mem::take(&mut self.token);
        let kept = self.keep_value(&token);
        self.token = token;
        kept
    }

    /// Keeps a value, or the beginning of one, behind the one before it.
    fn keep_value(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if let Some(frame) = self.stack.last_mut()
            && frame.list
            && !std::mem::replace(&mut frame.empty, false)
        {
            self.keep(b",")?;
        }
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.kept.len() + bytes.len() > MAX_KEPT {
            return Err("a body of which too much would have to be kept");
        }
        self.kept.extend_from_slice(bytes);
        Ok(())
    }
}

/// A byte of a number, `true`, `false` or `null`.
fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
#[path = "sieve_tests.rs"]
mod tests;
