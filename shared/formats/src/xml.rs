//! XML as the formats that are written in it need it: beginnings, ends, texts.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::decode::decode;
use super::problem::{Code, Problem};

/// Deepest that elements lie in each other; sheets and annotations are not deeper.
const DEEPEST: usize = 64;

/// What an element is called, without its prefix, and its attributes.
pub(crate) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Whether it is called so.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.local_name().as_ref() == name.as_bytes()
    }

    /// An attribute by its name without a prefix, entities replaced.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut all = attributes.with_checks(false).flatten();
        let found = all.find(|one| one.key.local_name().as_ref() == name.as_bytes())?;
        let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }
}

/// What comes next.
pub(crate) enum Piece<'a> {
    /// An element begins; one without content ends at once.
    Begin(Element<'a>),
    /// The element of this name without prefix ends.
    End(String),
    /// Text, in pieces.
    Text(String),
    /// Nothing more.
    Over,
}

/// A document, piece by piece.
pub(crate) struct Pieces<'a> {
    reader: Reader<&'a [u8]>,
    file: &'a str,
    depth: usize,
}

/// The text of a document, whatever it is encoded in.
pub(crate) fn text_of(bytes: &[u8], file: &str) -> Result<String, Problem> {
    decode(bytes)
        .map(|decoded| decoded.text.into_string())
        .map_err(|error| error.of(file))
}

impl<'a> Pieces<'a> {
    /// Pieces of a document; `file` is what it is called where it is broken.
    pub(crate) fn new(text: &'a str, file: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            file,
            depth: 0,
        }
    }

    fn broken(&self, reason: &dyn std::fmt::Display) -> Problem {
        let at = self.reader.buffer_position();
        let message = format!("is no XML that can be read, at byte {at}: {reason}");
        Problem::new(Code::Malformed, message).file(self.file)
    }

    /// The next piece; what is neither text nor element is passed over.
    pub(crate) fn next(&mut self) -> Result<Piece<'a>, Problem> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.broken(&error)),
            };
            let text = match event {
                Event::Start(element) => {
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err(self.broken(&"elements lie too deep in each other"));
                    }
                    return Ok(Piece::Begin(Element(element)));
                }
                Event::End(element) => {
                    self.depth = self.depth.saturating_sub(1);
                    let name = element.local_name();
                    let name = String::from_utf8_lossy(name.as_ref()).into_owned();
                    return Ok(Piece::End(name));
                }
                Event::Text(text) => text.decode().map(|text| text.into_owned()),
                Event::CData(text) => text.decode().map(|text| text.into_owned()),
                Event::GeneralRef(entity) => {
                    let number = match entity.resolve_char_ref() {
                        Ok(number) => number,
                        Err(error) => return Err(self.broken(&error)),
                    };
                    match (number, entity.decode()) {
                        (Some(c), _) => Ok(c.to_string()),
                        (None, Ok(name)) => {
                            let known = quick_xml::escape::resolve_xml_entity(&name);
                            // What a document defines itself is not replaced.
                            Ok(known.map_or_else(|| format!("&{name};"), str::to_owned))
                        }
                        (None, Err(error)) => Err(error),
                    }
                }
                Event::Eof if self.depth > 0 => return Err(self.broken(&"it ends too early")),
                Event::Eof => return Ok(Piece::Over),
                _ => continue,
            };
            return match text {
                Ok(text) => Ok(Piece::Text(text)),
                Err(error) => Err(self.broken(&error)),
            };
        }
    }
}
