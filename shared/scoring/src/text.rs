//! Text that remembers where each character came from.

/// One character and the bytes of the original text it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) ch: char,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Piece {
    /// The same place with another character.
    pub(super) fn with(self, ch: char) -> Self {
        Self { ch, ..self }
    }
}

/// A text in the course of normalisation.
pub(super) type Pieces = Vec<Piece>;

/// The pieces of `text`. Texts are checked against `MAX_TEXT_BYTES` before, so
/// that offsets fit.
pub(super) fn pieces(text: &str) -> Pieces {
    text.char_indices()
        .map(|(at, ch)| Piece {
            ch,
            start: at as u32,
            end: (at + ch.len_utf8()) as u32,
        })
        .collect()
}

/// The characters of `pieces`.
pub(super) fn to_string(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.ch).collect()
}

/// One piece per character of `replacement`, all standing for the place of
/// `replaced` (which must not be empty).
pub(super) fn replace(
    replaced: &[Piece],
    replacement: impl Iterator<Item = char>,
    to: &mut Pieces,
) {
    let (Some(first), Some(last)) = (replaced.first(), replaced.last()) else {
        return;
    };
    to.extend(replacement.map(|ch| Piece {
        ch,
        start: first.start,
        end: last.end,
    }));
}
